/**
 * Tiny models of the original classes, converted by llama.cpp's own converters, through our engine: tokens, numbers and
 * text against Hugging Face transformers, and against stock llama.cpp of the same tag.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BATCH_TOLERANCE, EXPECTATIONS, type Expectation, PICTURE_TOLERANCE, TEXT_TOLERANCE } from './expectations.js';
import { floats, goldenNames, readGolden } from './golden.js';
import { type CaseMeasure, type Measure, measure, repeatDifference } from './measure.js';

/** The same library on the same numbers; another CPU may sum in another order. */
const STOCK_TOLERANCE = 2e-3;

const MEASURES = new Map<string, Promise<Measure>>();

function measured(name: string): Promise<Measure> {
  const known = MEASURES.get(name) ?? measure(readGolden(name));
  MEASURES.set(name, known);
  return known;
}

function expected(name: string): Expectation {
  const expectation = EXPECTATIONS[name];
  assert.ok(expectation !== undefined, `${name} stands in expectations.ts`);
  return expectation;
}

function expectOriginal(item: CaseMeasure, tolerance: number, tokens: string | undefined): void {
  const { golden, fromOriginal } = item;
  const what = golden.kind === 'text' ? golden.question : golden.kind;
  if (tokens === undefined) assert.equal(item.tokens, true, `tokens of ${what}`);
  else assert.notEqual(item.tokens, true, `still other tokens: ${tokens}`);
  assert.equal(item.position, true, `position behind ${what}`);
  assert.ok(fromOriginal < tolerance * golden.spread, `${what}: logits differ by ${fromOriginal} of ${golden.spread}`);
  assert.ok(item.greedyEqual, `${what}: 32 greedy tokens as the original's, received ${JSON.stringify(item.text)}`);
}

function expectStock({ golden, fromStock, greedyEqualsStock }: CaseMeasure, patched: string | undefined): void {
  assert.ok(fromStock !== undefined, `stock llama.cpp was recorded for ${golden.kind}`);
  if (patched === undefined) {
    assert.ok(fromStock < STOCK_TOLERANCE, `${golden.kind}: ${fromStock} from stock llama.cpp`);
    assert.ok(greedyEqualsStock, `${golden.kind}: greedy tokens as stock llama.cpp's`);
  } else {
    assert.ok(fromStock > 0.3, `the control: stock llama.cpp is elsewhere (${fromStock}), for it lacks: ${patched}`);
  }
}

test('every golden folder is expected, and every expectation has its folder', () => {
  assert.deepEqual(goldenNames(), Object.keys(EXPECTATIONS).sort());
});

test('the control: golden numbers that are wrong are noticed', async () => {
  const golden = readGolden('smolvlm');
  const [text] = golden.cases ?? [];
  assert.ok(text !== undefined, 'a case of text');
  const logits = floats(text.logits);
  logits[7] = (logits[7] ?? 0) + 0.01;
  const [first = 0, second = 0, ...rest] = text.tokens;
  const wrong = {
    ...text,
    logits: Buffer.from(logits.buffer).toString('base64'),
    tokens: [second, first, ...rest],
    position: text.position + 1,
    greedy: text.greedy.with(-1, 0),
  };
  const { cases } = await measure({ ...golden, cases: [wrong] });
  const [item] = cases;
  assert.ok(item !== undefined, 'the case was measured');
  assert.match(String(item.tokens), / for /);
  assert.match(String(item.position), / for /);
  assert.ok(Math.abs(item.fromOriginal - 0.01) < 1e-4, `${item.fromOriginal} is the 0.01 that was added`);
  assert.equal(item.greedyEqual, false);
});

for (const name of goldenNames()) {
  const expectation = EXPECTATIONS[name];
  const refused = expectation?.refused;
  if (refused !== undefined) {
    test(`${name}: refused, with its reason`, async () => {
      const { golden, loads } = await measured(name);
      assert.match(refused.at === 'converts' ? golden.converts : loads, refused.message);
      if (refused.at === 'loads') assert.match(loads, /^ERR_MODEL_INVALID/);
    });
    continue;
  }

  test(`${name}: text is the original's`, async () => {
    const { loads, cases } = await measured(name);
    assert.equal(loads, 'yes');
    const texts = cases.filter((item) => item.golden.kind === 'text');
    assert.equal(texts.length, 3);
    for (const item of texts) expectOriginal(item, expected(name).textTolerance ?? TEXT_TOLERANCE, undefined);
  });

  test(`${name}: pictures are the original's, or differ as llama.cpp does`, async () => {
    const { exact, wide, tokens, patched } = expected(name);
    const { cases } = await measured(name);
    const pictures = cases.filter((item) => item.golden.kind !== 'text');
    assert.deepEqual(
      pictures.map((item) => item.golden.kind),
      ['exact', 'wide', 'both'],
    );
    for (const item of pictures) {
      const deviation = item.golden.kind === 'wide' ? wide : exact;
      if (deviation === undefined) {
        expectOriginal(item, PICTURE_TOLERANCE, tokens);
      } else {
        const { fromOriginal, golden } = item;
        assert.ok(fromOriginal > PICTURE_TOLERANCE * golden.spread, `still there: ${deviation} (${fromOriginal})`);
      }
      expectStock(item, patched);
    }
    assert.equal(new Set(pictures.map((item) => item.text)).size, 3, 'the control: pictures change the text');
  });

  test(`${name}: forks are a straight decode`, async () => {
    const { forks } = await measured(name);
    assert.ok(forks !== undefined, 'forks were measured');
    const tolerance = expected(name).batchTolerance ?? BATCH_TOLERANCE;
    assert.ok(forks.fork < 1e-5, `a fork: ${forks.fork}`);
    assert.ok(forks.batch < tolerance, `three at once: ${forks.batch}`);
    assert.ok(forks.textsEqual, 'two forks and their parent write the same text');
    if (expected(name).isHybrid) assert.equal(forks.trim, 'ERR_FORK_UNSUPPORTED', 'a cut inside is refused');
    else assert.ok(typeof forks.trim === 'number' && forks.trim < 1e-5, `a cut, and on: ${forks.trim}`);
  });

  test(`${name}: a picture is the same every time`, async () => {
    const loads = expected(name).steadied === undefined ? 2 : 24;
    assert.equal(await repeatDifference(readGolden(name), readGolden('minicpm-v'), loads), 0);
  });

  if (expectation?.likeCli) {
    test(`${name}: llama-mtmd-cli writes the same words`, async () => {
      const { cases } = await measured(name);
      const heard = cases.flatMap(({ golden, ourText }) => (golden.stock.words ? [[golden.stock.words, ourText]] : []));
      assert.equal(heard.length, 2);
      for (const [words, text] of heard as [{ text?: string }, string][]) assert.equal(text.trim(), words.text?.trim());
    });
  }
}
