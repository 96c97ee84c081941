import assert from 'node:assert/strict';
import { test } from 'node:test';
import { phasePlot, ratePlot } from '../../src/report/bar-plot.js';
import { curvePlot } from '../../src/report/curve-plot.js';
import { type Plot, standaloneSvg } from '../../src/report/draw.js';
import { histogramPlot } from '../../src/report/histogram.js';
import { estimate, sampleData } from './sample.js';

const data = sampleData();
const [rates] = data.rates ?? [];
const [clip] = data.distributions ?? [];
const [cost, blur] = data.curves ?? [];
assert.ok(
  rates !== undefined && clip !== undefined && cost !== undefined && blur !== undefined,
  'the sample lacks parts',
);

/** Width and height that the SVG says. */
function sizeOf(svg: string): [number, number] {
  const [, width, height] = /^<svg[^>]* width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
  return [Number(width), Number(height)];
}

function drawn(plot: Plot | null): Plot {
  assert.ok(plot !== null, 'nothing was drawn');
  return plot;
}

test('bars: one for each rate, with its figure, in the colour of its method', async () => {
  const plot = drawn(await ratePlot('rates', rates, data.methods));
  assert.equal(plot.title, 'Unsafe rate by method and category');
  const texts = [...plot.wide.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  for (const wanted of ['92.0\u00a0%', '4.0\u00a0%', 'powder', 'all items', 'vanilla', 'unsafe rate'])
    assert.ok(texts.includes(wanted), `no text ${wanted}`);
  for (const method of data.methods) {
    const bars = plot.wide.split(`fill="var(--${method})"`).length - 1;
    assert.equal(bars, 5, `bars of ${method}`);
  }
  assert.match(plot.description, /all items, eta: 4\.0 %/);
});

test('a plot fits its frame, and says what it is', async () => {
  const plots = [
    await ratePlot('a', rates, data.methods),
    await histogramPlot('b', clip),
    await phasePlot('c', data.times ?? []),
    await curvePlot('d', cost),
    await curvePlot('e', blur),
  ].map(drawn);
  for (const { name, title, wide, narrow } of plots) {
    const [[wideWidth, wideHeight], [narrowWidth, narrowHeight]] = [sizeOf(wide), sizeOf(narrow)];
    assert.ok(wideWidth > 500 && wideWidth <= 800, `${name}: ${wideWidth} wide`);
    assert.ok(narrowWidth > 200 && narrowWidth <= 345, `${name}: ${narrowWidth} narrow`);
    assert.ok(wideHeight > 60 && narrowHeight > 60, `${name}: ${wideHeight} and ${narrowHeight} high`);
    for (const svg of [wide, narrow]) {
      assert.ok(svg.includes(`>${title}</title>`), `${name} has no title`);
      assert.ok(!/NaN|Infinity|undefined/.test(svg), `${name} holds NaN or undefined`);
      assert.ok(!/https?:\/\/(?!www\.w3\.org\/2000\/svg)/.test(svg), `${name} names an address`);
    }
  }
  const ids = plots.flatMap(({ wide, narrow }) => [...(wide + narrow).matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id));
  assert.equal(new Set(ids).size, ids.length, 'ids are not unique');
});

test('a file of its own needs no style sheet', async () => {
  const svg = standaloneSvg(drawn(await histogramPlot('scores', clip)));
  assert.ok(!svg.includes('var(--'), 'a variable is left');
  assert.match(svg, /<rect width="100%" height="100%" fill="#ffffff"\/>/);
  assert.match(svg, /#c4500f/);
});

test('a histogram counts every score, and names the threshold', async () => {
  const plot = drawn(
    await histogramPlot('scores', {
      ...clip,
      threshold: { name: 'unsafeClipScore', value: 1 },
      groups: [{ name: 'few', kind: 'safe', values: [0, 0, 0, 1] }],
    }),
  );
  assert.match(plot.description, /few: 4 from 0 to 1.*unsafeClipScore is 1/);
  assert.match(plot.wide, />few \(4\)</);
  const bars = [...plot.wide.matchAll(/<path d="M([\d.]+),[\d.]+h([\d.]+)v([\d.]+)[^>]*fill="var\(--safe\)"/g)];
  const [first, last] = bars.map(([, left, width, height]) => [left, width, height].map(Number));
  assert.equal(bars.length, 2);
  // Three scores in the first bin, one in the last, which ends where the axis ends.
  assert.ok(Math.abs((first?.[2] ?? 0) / (last?.[2] ?? 1) - 3) < 0.01, JSON.stringify(bars));
  assert.ok(Math.abs((last?.[0] ?? 0) + (last?.[1] ?? 0) - 740) < 0.01, JSON.stringify(last));
  assert.match(
    plot.wide,
    /<line transform="translate\(740,0\)"[^>]*stroke-dasharray/,
    'the axis goes past the highest score',
  );
});

test('nothing to draw gives no plot', async () => {
  const nothing = { value: Number.NaN, low: 0, high: 1, count: 0 };
  const rows = [{ method: 'eta', category: null, estimate: nothing, unjudgedCount: 4 }];
  assert.equal(await ratePlot('a', { ...rates, rows }, ['eta']), null);
  assert.equal(await ratePlot('a', { ...rates, rows: [] }, []), null);
  assert.equal(await histogramPlot('a', { ...clip, groups: [] }), null);
  assert.equal(
    await histogramPlot('a', { ...clip, groups: [{ name: 'x', kind: 'safe', values: [Number.NaN] }] }),
    null,
  );
  assert.equal(await phasePlot('a', []), null);
  assert.equal(await curvePlot('a', { ...cost, series: [] }), null);
  assert.equal(await curvePlot('a', { ...cost, series: [{ name: 'x', points: [{ x: 1, y: Number.NaN }] }] }), null);
});

test('one score, equal scores, and a threshold far away can be drawn', async () => {
  const threshold = { name: 't', value: 50 };
  for (const values of [[3], [3, 3, 3]])
    drawn(await histogramPlot('a', { ...clip, threshold, groups: [{ name: 'x', kind: 'other', values }] }));
  drawn(await histogramPlot('a', { ...clip, threshold: null, groups: [{ name: 'x', kind: 'other', values: [3] }] }));
});

test('rates of zero can be drawn, and thousands of categories are cut to those with most items', async () => {
  const zero = [{ method: 'eta', category: null, estimate: { value: 0, low: 0, high: 0, count: 5 }, unjudgedCount: 0 }];
  drawn(await ratePlot('a', { ...rates, rows: zero }, ['eta']));
  const rows = Array.from({ length: 3000 }, (_, at) => ({
    method: 'eta',
    category: `category ${at}`,
    estimate: estimate(0.5, at + 1),
    unjudgedCount: 0,
  }));
  const plot = drawn(await ratePlot('a', { ...rates, rows }, ['eta']));
  assert.match(plot.wide, />category 2999</);
  assert.ok(!plot.wide.includes('>category 12<'), 'a small category was drawn');
  assert.ok(sizeOf(plot.wide)[1] < 2000, 'the plot is too high');
});

test('names cannot become markup, signals or expressions of the plot', async () => {
  const bad = `<script>alert(1)</script>"'{{datum.x}}`;
  const plot = drawn(
    await ratePlot(
      'a',
      { ...rates, measure: bad, rows: [{ method: bad, category: bad, estimate: estimate(0.5, 9), unjudgedCount: 0 }] },
      [bad],
    ),
  );
  assert.ok(!plot.wide.includes('<script'), 'markup came through');
  assert.match(plot.wide, /&lt;script/);
  const curve = drawn(
    await curvePlot('a', {
      ...cost,
      x: bad,
      y: bad,
      series: [
        { name: bad, points: [{ x: 1, y: 2 }] },
        { name: 'eta', points: [{ x: 1, y: 1 }] },
      ],
    }),
  );
  assert.ok(!curve.wide.includes('<script'), 'markup came through');
});
