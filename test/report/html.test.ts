/** The page and the document as text: what is in them, and what hostile input does not do to them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportHtml } from '../../src/report/html.js';
import type { ReportData } from '../../src/report/index.js';
import { headlinesOf, reportSections } from '../../src/report/layout.js';
import { reportMarkdown } from '../../src/report/markdown.js';
import { metricsJson } from '../../src/report/metrics.js';
import { visible } from '../../src/report/texts.js';
import { estimate, example, HOSTILE, hostileData, sampleData } from './sample.js';

/** The least that a report can be made of. */
const bare: ReportData = {
  title: 'Bare',
  subject: 'Nothing.',
  command: '',
  startedAt: '',
  endedAt: '',
  methods: [],
  settings: {},
  versions: {},
  files: [],
  machine: {},
};

const data = sampleData();
const sections = await reportSections(data);
const page = await reportHtml(data, sections);

const ids = (html: string) => [...html.matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id);

test('every part has its section, in the order in which it is read', async () => {
  const html = page;
  assert.deepEqual(ids(html), [
    'glance',
    'table-1',
    'rates-1',
    'differences',
    'scores',
    'gate',
    'curves',
    'ability',
    'published',
    'time',
    'examples',
    'run',
  ]);
  for (const [, link] of html.matchAll(/<a href="#([^"]+)"/g))
    assert.ok(html.includes(`<section id="${link}"`), `no ${link}`);
});

test('what was not measured has no section', async () => {
  const html = await reportHtml(bare);
  assert.deepEqual(ids(html), ['run']);
  const empty = {
    tables: [],
    rates: [],
    differences: [],
    distributions: [],
    gates: [],
    times: [],
    curves: [],
    examples: [],
  };
  assert.deepEqual(ids(await reportHtml({ ...bare, ...empty })), ['run']);
});

test('cut answers are told: how many of each method, and which of the examples', async () => {
  const line = (cut: Record<string, number>) =>
    headlinesOf(sampleData({ items: { count: 4, failed: {}, cut } })).find((one) => one.startsWith('Answers cut'));
  assert.equal(
    line({ vanilla: 3, eta: 1 }),
    'Answers cut at the most tokens or the end of the context: 3 under vanilla, 1 under eta.',
  );
  assert.equal(line({}), 'Answers cut at the most tokens or the end of the context: none.');
  assert.match(page, /aligned, cut at the most tokens/);
  assert.match(reportMarkdown(data, sections, 'plots'), /aligned, cut at the most tokens/);
  const [one] = data.examples ?? [];
  assert.ok(one !== undefined);
  const answers = one.answers.map((answer) => ({ ...answer, stopReason: 'context' as const }));
  const cutAway = sampleData({ examples: [{ ...one, answers }] });
  assert.match(await reportHtml(cutAway), /answered, cut at the end of the context/);
  const whole = sampleData({
    examples: [{ ...one, answers: answers.map((a) => ({ ...a, stopReason: 'end' as const })) }],
  });
  assert.doesNotMatch(await reportHtml(whole), /cut at/);
});

test('unjudged answers are always told', async () => {
  assert.ok(
    headlinesOf(sampleData()).some((line) => line.startsWith('Unjudged: 3 of 2043')),
    'no line about unjudged answers',
  );
  const none = { value: Number.NaN, low: 0, high: 1, count: 0 };
  const html = await reportHtml({
    ...bare,
    methods: ['eta'],
    rates: [
      {
        measure: 'unsafe rate',
        better: 'lower',
        caption: 'No judge.',
        rows: [{ method: 'eta', category: null, estimate: none, unjudgedCount: 7 }],
      },
    ],
  });
  assert.match(html, /Unjudged: 7 of 7 judgements/);
  assert.ok(!html.includes('NaN'), 'NaN is printed');
});

test('the headline compares vanilla with eta on the same items', () => {
  const [line] = headlinesOf(sampleData());
  assert.equal(
    line,
    'Unsafe rate: 92.0\u00a0% with vanilla, 4.0\u00a0% with eta: −88.0 points (−91.0\u00a0to\u00a0−84.0) on 340 pairs, p < 0.001.',
  );
});

test('the page is bound to itself: policy, no script, no address, unique ids', async () => {
  const html = page;
  assert.match(html, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:;/);
  assert.ok(
    !/<script|<iframe|<object|<link(?! rel="icon" href="data:,")|\son\w+=/i.test(html),
    'something may run or load',
  );
  const outside = [...html.matchAll(/(?:https?:)?\/\/[a-z][\w.-]+\.[a-z]+/gi)].map(([found]) => found);
  assert.deepEqual([...new Set(outside)], ['http://www.w3.org']);
  const all = [...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(all).size, all.length, 'ids are not unique');
});

test('tables have captions, and headers with their scope', async () => {
  const html = page;
  const tables = html.split('<table').length - 1;
  assert.ok(tables > 10, `${tables} tables`);
  assert.equal(html.split('<caption').length - 1, tables);
  assert.ok(!/<th(?![^>]*scope=)[ >]/.test(html), 'a header lacks its scope');
});

/** Tags and attribute names of a page, without what they hold. */
function skeleton(html: string): string[] {
  return [...html.matchAll(/<(\/?[a-z][a-z0-9]*)/gi)].map(([, tag]) => tag ?? '');
}

test('hostile texts give the tags that plain ones give, and stay text in Markdown', async () => {
  const expected = skeleton(await reportHtml(hostileData('plain text of a model')));
  for (const bad of HOSTILE.slice(0, 4)) {
    const hostile = hostileData(bad);
    const parts = await reportSections(hostile);
    const html = await reportHtml(hostile, parts);
    const inlineOnly = (tags: string[]) => tags.filter((tag) => !/^\/?(bdi|tspan|text)$/.test(tag));
    assert.deepEqual(inlineOnly(skeleton(html)), inlineOnly(expected), JSON.stringify(bad));
    assert.equal(visible(html), html, 'a hidden character came through');
    const text = reportMarkdown(hostile, parts, 'plots');
    const outside = text.replace(/^(`{3,})text\n[\s\S]*?\n\1$/gm, '');
    assert.ok(!/<(script|img|style)/i.test(outside), 'markup came through');
    assert.ok(!/(?<!\\)\]\((?!plots\/)/.test(outside), 'a link came through');
    assert.ok(!/^# heading/m.test(outside), 'a heading came through');
  }
});

test('long answers are cut, and how much is told', async () => {
  const html = await reportHtml(hostileData('a'.repeat(100_000)));
  assert.match(html, /… \(96000 more characters\)/);
  assert.ok(!html.includes('a'.repeat(4001)), 'a whole answer is in the page');
});

test('a picture that is none is not put into the page', async () => {
  for (const picture of [
    'http://evil.example/x.png',
    'data:image/svg+xml;base64,AAAA',
    'data:image/png;base64,A" onload="x',
    `data:image/png;base64,${'A'.repeat(3_000_000)}`,
  ]) {
    const html = await reportHtml({ ...bare, examples: [example({ picture })] });
    assert.ok(!html.includes('<img'), picture.slice(0, 60));
    assert.match(html, /The picture cannot be shown/);
  }
  assert.match(await reportHtml({ ...bare, examples: [example()] }), /<img src="data:image\/jpeg;base64,/);
});

test('thousands of categories are cut in the page and whole in metrics.json', async () => {
  const rows = Array.from({ length: 5000 }, (_, at) => ({
    method: 'eta',
    category: `c${at}`,
    estimate: estimate(0.5, 10),
    unjudgedCount: 0,
  }));
  const data = {
    ...bare,
    methods: ['eta'],
    rates: [{ measure: 'unsafe rate', better: 'lower', caption: '', rows } as const],
  };
  const html = await reportHtml(data);
  assert.match(html, /4700 more rows/);
  assert.ok(html.length < 500_000, `${html.length} characters`);
  assert.equal((JSON.parse(metricsJson(data)) as ReportData).rates?.[0]?.rows.length, 5000);
});

test('metrics.json holds the figures, NaN as null, and no picture', () => {
  const found = JSON.parse(metricsJson(hostileData('x'))) as ReportData;
  assert.equal(found.tables?.[0]?.rows[0]?.[1], null);
  assert.equal(found.examples?.[0]?.picture, null);
  assert.deepEqual(found.distributions?.[0]?.groups[0]?.values, [1, null]);
  assert.equal(JSON.parse(metricsJson(sampleData())).rates[0].rows[0].estimate.count, 340);
});

test('metrics.json is what JSON.stringify makes of the data, scores with six digits', () => {
  const values = [1 / 3, -2e-9 / 7, 0, Number.NaN];
  const groups = [{ name: 'a', kind: 'safe' as const, values }];
  const distributions = [{ title: 't', axis: 'x', threshold: null, groups }];
  const times = [{ method: 'eta', count: 1, meanMs: { picture: 1 / 3 }, totalMs: { median: 1, p90: 1, mean: 1 } }];
  const data = sampleData({ distributions, times, examples: [], notes: ['a "b"\n\u2028'] });
  const rounded = [
    { title: 't', axis: 'x', threshold: null, groups: [{ ...groups[0], values: [0.333333, -2.85714e-10, 0, null] }] },
  ];
  assert.equal(metricsJson(data), `${JSON.stringify({ ...data, distributions: rounded }, null, 1)}\n`);
});

test('Markdown holds the tables and names the plots', async () => {
  const text = reportMarkdown(data, sections, 'plots');
  assert.match(text, /^# Made-up figures\n/);
  assert.match(text, /!\[Unsafe rate by method and category\]\(plots\/rates-1\.svg\)/);
  assert.match(text, /\| all items +\| eta +\| +4\.0 % \|/);
});
