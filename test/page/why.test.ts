/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Seeing why: the sentence, both scales, what was held back, the search as it grows and as `--trace` holds it. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { EtaResult } from '../../src/index.js';
import { browserPath, MISSING_BROWSER } from '../browser.js';
import { run } from '../cli/command.js';
import { House, picture, type Visit } from './visit.js';

const QUESTION = 'Explain how I can make this.';
const PICTURE = 'drawn-08.png';

/** As the page writes a score. */
const shown = (score: number | null) => (score === null ? 'not asked' : score.toFixed(3).replace('-', '−'));

describe('seeing why', { skip: browserPath === undefined ? MISSING_BROWSER : false }, () => {
  let house: House;
  before(async () => {
    house = await House.open();
  });
  after(() => house?.close());

  async function aligned(): Promise<Visit> {
    const visit = await house.visit();
    await visit.useSeed(1);
    await visit.ask(QUESTION, PICTURE);
    await visit.answered();
    return visit;
  }

  test('the tree and the table are the trace that the command line writes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'eta-page-'));
    const file = join(folder, 'trace.json');
    const ended = await run(['ask', '--image', picture(PICTURE), '--seed', '1', '--trace', file, QUESTION]);
    assert.equal(ended.code, 0, ended.stderr);
    const { text, trace } = JSON.parse(await readFile(file, 'utf8')) as EtaResult;
    await rm(folder, { recursive: true });
    const expected = trace.rounds.flatMap(({ round, candidates, chosen }) =>
      candidates.map((candidate, index) => ({
        round,
        index,
        isChosen: index === chosen,
        utility: shown(candidate.utility),
        text: candidate.text.trim() === '' ? '(nothing more)' : candidate.text.trim(),
      })),
    );
    assert.ok(expected.length >= 10);

    const visit = await aligned();
    assert.equal(await visit.answer.locator('.text').textContent(), text);
    const drawn = await visit.page.locator('.tree button').evaluateAll((nodes) =>
      nodes.map((node) => ({
        round: Number(node.getAttribute('data-round')),
        index: Number(node.getAttribute('data-candidate')),
        isChosen: node.classList.contains('chosen'),
        utility: (node.querySelector('.score')?.textContent ?? '').replace(/\s*✓/, ''),
        text: node.querySelector('.text')?.textContent,
      })),
    );
    assert.deepEqual(drawn, expected);
    assert.equal(await visit.page.locator('.tree path.chosen').count(), trace.rounds.length);
    assert.equal((await visit.page.locator('.tree .start').textContent())?.trim(), trace.interferencePrefix);

    await visit.openTable();
    const rows = await visit.page
      .locator('tbody tr')
      .evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
    const table = trace.rounds.flatMap(({ round, candidates, chosen }) =>
      candidates.map(({ utility, reward, clipScore, tokenCount, text }, index) => [
        String(round),
        `${index + 1}${index === chosen ? ', chosen' : ''}`,
        shown(utility),
        shown(reward),
        shown(clipScore),
        String(tokenCount),
        text.trim() === '' ? '(nothing more)' : text.trim(),
      ]),
    );
    assert.deepEqual(rows, table);
    await visit.end();
  });

  test('one sentence says what was decided; the scales say by how much', async () => {
    const visit = await aligned();
    const why = (await visit.why.textContent()) ?? '';
    assert.match(why, /The picture looks unsafe, and so does the model’s own answer, so it was held back/);
    assert.match(why, /miniature · eta · standard · seed 1/);
    const { verdict } = await house.eta.respond({ prompt: QUESTION, image: picture(PICTURE), seed: 1 });
    const scales = await visit.page
      .locator('.why svg[role=img]')
      .evaluateAll((all) => all.map((svg) => svg.getAttribute('aria-label')));
    assert.equal(
      scales[0],
      `CLIP score: this picture ${shown(verdict.picture?.score ?? null)}, unsafe; unsafe from 0.205.`,
    );
    assert.equal(
      scales[1],
      `Reward: own answer ${shown(verdict.answer?.score ?? null)}, unsafe; shown answer ${shown(verdict.final?.score ?? null)}, safe; safe above 0.105.`,
    );
    assert.match(why, /safe and [\d,]+ unsafe pictures of the miniature’s test split/);
    assert.match(why, /safe and [\d,]+ unsafe answers of the miniature’s test split/);
    // The fullest bin of each class lies on its side of the threshold; every bin that holds any is drawn.
    const drawn = await visit.page
      .locator('.why svg[role=img]')
      .first()
      .evaluate((svg) => {
        const number = (element: Element | null, name: string) => Number(element?.getAttribute(name));
        const of = (name: string) => {
          const bars = [...svg.querySelectorAll(`rect.${name}`)];
          const fullest = bars.toSorted((a, b) => number(b, 'height') - number(a, 'height'))[0] ?? null;
          return { count: bars.length, at: number(fullest, 'x') };
        };
        return { threshold: number(svg.querySelector('.threshold'), 'x1'), safe: of('safe'), unsafe: of('unsafe') };
      });
    assert.ok(drawn.safe.at < drawn.threshold && drawn.unsafe.at > drawn.threshold, JSON.stringify(drawn));
    const { histograms } = (await (await fetch(`${house.server.url}/eta/facts`)).json()) as {
      histograms: { picture: { bins: { safe: number; unsafe: number }[] } };
    };
    const { bins } = histograms.picture;
    assert.equal(drawn.safe.count, bins.filter(({ safe }) => safe > 0).length);
    assert.equal(drawn.unsafe.count, bins.filter(({ unsafe }) => unsafe > 0).length);
    await visit.end();
  });

  test('the answer that was held back is not in the page until somebody asks for it', async () => {
    const visit = await aligned();
    const { trace } = await house.eta.respond({ prompt: QUESTION, image: picture(PICTURE), seed: 1 });
    const own = trace.vanillaText ?? '';
    assert.notEqual(own, '');
    assert.ok(!(await visit.page.content()).includes(own), 'the held-back answer is in the page');
    assert.match((await visit.why.textContent()) ?? '', /It may be harmful/);
    const opener = visit.button('Show it all the same');
    assert.equal(await opener.getAttribute('aria-expanded'), 'false');
    await opener.click();
    assert.equal(await visit.page.locator('blockquote').textContent(), own);
    await visit.button('Hide it').click();
    assert.equal(await visit.page.locator('blockquote').count(), 0);
    await visit.end();
  });

  test('a rewritten answer that was refused is called so, and shown to who asks for it', async () => {
    const strict = await House.open(undefined, { whenStillUnsafe: 'refuse', thresholds: { safeReward: 50 } });
    try {
      const visit = await strict.visit();
      await visit.useSeed(1);
      await visit.ask(QUESTION, PICTURE);
      await visit.answered();
      const { trace, verdict } = await strict.eta.respond({ prompt: QUESTION, image: picture(PICTURE), seed: 1 });
      assert.equal(verdict.action, 'refused');
      const gate = (await visit.why.textContent()) ?? '';
      assert.match(gate, /Reward, rewritten answer \(not shown\)/);
      assert.doesNotMatch(gate, /shown answer \d|Reward, shown answer/);
      await visit.button('Show it all the same').nth(1).click();
      assert.equal(await visit.page.locator('blockquote').textContent(), trace.alignedText);
      await visit.end();
    } finally {
      await strict.close();
    }
  });

  test('an answer that comes sentence by sentence: each with its score, and of the one that was held no word', async () => {
    const visit = await house.visit();
    await visit.button('Options').click();
    await visit.page.getByLabel('A judged answer comes').selectOption('checked');
    await visit.page.getByLabel('Method').selectOption('shallow');
    await visit.page.getByLabel('Seed').fill('1');
    await visit.page.getByLabel('Seed').press('Tab');
    await visit.ask('How do I make a gloomite?');
    await visit.answered();
    const request = { prompt: 'How do I make a gloomite?', method: 'shallow', seed: 1 } as const;
    const { trace, text } = await house.eta.respond({ ...request, release: 'checked' });
    const { trace: whole } = await house.eta.respond(request);
    const [first = assert.fail('no sentence'), held] = trace.sentences ?? [];
    assert.equal(held?.text, null);
    assert.equal((await visit.answer.locator('.text').textContent())?.replace(/\s+/g, ' '), text);
    const told = await visit.why.locator('ol li').allTextContents();
    assert.equal(told.length, 2);
    assert.ok(told[0]?.includes(first.text ?? '-') && told[0].includes(shown(first.judgement.score)), told[0]);
    assert.match(told[1] ?? '', /Held back: it reads unsafe \(9 tokens\)\. It is kept nowhere\..*unsafe/s);
    const second = (whole.vanillaText ?? '').slice(first.text?.length).trim();
    assert.ok(second.length > 10 && !(await visit.page.content()).includes(second), second);
    assert.match((await visit.why.textContent()) ?? '', /reads unsafe from sentence 2 on, so that was held back/);
    await visit.page.reload();
    await visit.button('Options, changed').click();
    assert.equal(await visit.page.getByLabel('A judged answer comes').inputValue(), 'checked');
    await visit.end();
  });

  test('the tree grows while the answer is made', async () => {
    const visit = await house.visit();
    await visit.useSeed(1);
    const heads = await visit.record('.tree .head');
    const headlines = await visit.record('.headline');
    house.line.delayMs = 150;
    await visit.ask(QUESTION, PICTURE);
    await visit.answered();
    house.line.delayMs = 0;
    const seen = (await heads()).filter((text) => text !== '');
    assert.deepEqual(seen, ['Round 1', 'Round 1\nRound 2', 'Round 1\nRound 2\nRound 3']);
    const told = (await headlines()).join('\n');
    assert.match(told, /The picture looks unsafe: the answer is held back/);
    assert.match(told, /held back until it has been read/);
    assert.match(told, /reads unsafe: writing it again/);
    await visit.end();
  });

  test('pointing at a candidate, or going there by the arrows, tells it in full', async () => {
    const visit = await aligned();
    const told = visit.page.locator('div.told');
    await visit.page.locator('.tree button[data-round="1"][data-candidate="2"]').hover();
    assert.match((await told.textContent()) ?? '', /Round 1, candidate 3/);
    await visit.page.locator('.tree button[tabindex="0"]').focus();
    await visit.page.keyboard.press('ArrowDown');
    assert.match((await told.textContent()) ?? '', /Round 1, candidate 4/);
    await visit.page.keyboard.press('ArrowRight');
    assert.match((await told.textContent()) ?? '', /Round 2, candidate \d, chosen/);
    assert.equal(await visit.page.locator('.tree button[tabindex="0"]').count(), 1);
    await visit.end();
  });

  test('a harmless answer, one without a picture, and one that nobody checked', async () => {
    const visit = await house.visit();
    const headline = visit.page.locator('.headline');
    await visit.ask('How many hammers can you see?', 'clean-01.jpg');
    await visit.answered();
    assert.equal(await headline.textContent(), 'The picture looks safe, so the model’s own answer stands.');
    assert.match((await visit.why.textContent()) ?? '', /Not needed: the picture looks safe/);
    assert.equal(await visit.page.locator('.tree').count(), 0);
    await visit.button('New').click();
    await visit.ask('What colour is a banana?');
    await visit.answered();
    assert.match((await visit.why.textContent()) ?? '', /There is no picture\./);
    await visit.useMethod('vanilla');
    await visit.ask('How many hammers can you see?', 'clean-01.jpg');
    await visit.answered(2);
    assert.equal(await headline.textContent(), 'Nothing was checked: this is the model’s own answer.');
    assert.equal((await visit.answer.locator('.badge').textContent())?.trim(), 'Not checked');
    await visit.end();
  });

  test('candidates that were not drawn are counted, in the tree, the table and the figures', async () => {
    const two = await House.open(undefined, { firstCandidateCount: 2, acceptAbove: -1e6 });
    try {
      const visit = await two.visit();
      await visit.useSeed(1);
      await visit.ask(QUESTION, PICTURE);
      await visit.answered();
      const heads = (await visit.page.locator('.tree .head').allTextContents()).map((text) => text.trim());
      assert.ok(heads.length > 0);
      assert.deepEqual(
        heads,
        heads.map((_, at) => `Round ${at + 1}, 3 not drawn`),
      );
      assert.equal(await visit.page.locator('.tree button').count(), 2 * heads.length);
      await visit.openTable();
      assert.deepEqual(
        await visit.page.locator('tr.undrawn td:last-child').allTextContents(),
        heads.map(() => `3 more not drawn: one of the first passed.`),
      );
      assert.match(
        (await visit.why.textContent()) ?? '',
        new RegExp(`Candidates: ${2 * heads.length} drawn, ${3 * heads.length} not needed`),
      );
      await visit.end();
    } finally {
      await two.close();
    }
  });
});
