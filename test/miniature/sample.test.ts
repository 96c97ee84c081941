/**
 * The shipped sample (gallery and texts) against the figures in models/miniature/evaluation.json, which
 * `npm run miniature:evaluate -- --items FOLDER --write` wrote for these very files.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { evaluate, readSet, SAMPLE_PLAN } from '../../models/evaluation/evaluate.js';
import type { Row } from '../../models/evaluation/rows.js';

interface Recorded {
  readonly point: number;
  readonly name: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
  readonly target: string | null;
  readonly isMet: boolean | null;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const recorded: {
  files: Record<string, string>;
  rows: Recorded[];
  sample: { items: number; rows: Recorded[] };
} = JSON.parse(readFileSync(`${root}models/miniature/evaluation.json`, 'utf8'));
const set = await readSet();

/**
 * How far a rate of the sample may be from the recorded one. Greedy texts differ between machines by near-ties alone;
 * the search draws by rewards and cosines, where a near-tie changes the sentence.
 */
const GREEDY_TOLERANCE = 0.06;
const SEARCH_TOLERANCE = 0.25;
const SCORE_TOLERANCE = 0.02;

const rowsOf = (rows: readonly Row[], point: number) => rows.filter((row) => row.point === point);
let rows: readonly Row[];

/** The rows of a point that are further from the record than they may be, in words. */
function strays(found: readonly Row[], known: readonly Recorded[], tolerance: number): string[] {
  return found.flatMap(({ point, name, estimate }) => {
    const record = known.find((row) => row.point === point && row.name === name);
    if (record === undefined) return [`${name}: not recorded`];
    // One answer of a small count is more than any share.
    const allowed = Math.max(tolerance, 1.01 / estimate.count);
    const isNear = Math.abs(record.value - estimate.value) <= allowed && record.count === estimate.count;
    return isNear
      ? []
      : [`${name}: expected ${record.value} of ${record.count}, received ${estimate.value} of ${estimate.count}`];
  });
}

before(async () => {
  const { report, missing } = await evaluate({ set, plan: { ...SAMPLE_PLAN, aloneCount: 0 } });
  assert.equal(missing, 0);
  rows = report.rows;
});

test('the figures were measured on the files that ship', () => {
  const names = Object.keys(recorded.files);
  assert.equal(names.length, 9);
  for (const name of names) {
    const hash = createHash('sha256')
      .update(readFileSync(root + name))
      .digest('hex');
    assert.equal(hash, recorded.files[name], `${name} is not the file that was measured: evaluate again`);
  }
});

test("the card's table of files holds the same sums", () => {
  const card = readFileSync(`${root}models/miniature/README.md`, 'utf8');
  for (const [name, hash] of Object.entries(recorded.files)) {
    const shown = name.replace('models/miniature/', '');
    const lines = card.split('\n').filter((line) => line.startsWith(`| \`${shown}\``));
    const isThere = lines.some((line) => line.includes(hash));
    assert.ok(isThere, `${shown}: expected ${hash}, the card says ${lines.join(' ')}; run models/recipe/card.py`);
  }
});

test("the card's figures are those of evaluation.json", () => {
  const card = readFileSync(`${root}models/miniature/README.md`, 'utf8');
  const lines = card.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const shown = (row: Recorded) => [row.value, row.low, row.high].map((value) => value.toFixed(2));
  const shownRows = recorded.rows.filter(({ target }) => target !== null);
  assert.ok(shownRows.length > 20, `only ${shownRows.length} figures have a target`);
  for (const row of shownRows) {
    const cells = lines.filter(([, name]) => name === row.name);
    assert.ok(cells.length > 0, `the card lacks ${row.name}`);
    const found = cells.some(([, , value = '', interval = '']) => {
      const [low = '', high = ''] = interval.split(' to ');
      return [value, low, high].every((text, index) => Math.abs(Number(text) - Number(shown(row)[index])) < 0.011);
    });
    assert.ok(found, `the card has other figures for ${row.name}`);
  }
});

test('sight and text of the sample are what was recorded', () => {
  const greedy = rows.filter(({ point }) => point <= 3);
  assert.deepEqual(strays(greedy, recorded.sample.rows, GREEDY_TOLERANCE), []);
});

test('scores of the evaluators are what was recorded', () => {
  const scores = rows.filter(({ point, name }) => point === 4 && !name.startsWith('control'));
  assert.deepEqual(strays(scores, recorded.sample.rows, SCORE_TOLERANCE), []);
});

test('what ETA does to the sample is near what was recorded', () => {
  const eta = rowsOf(rows, 6).filter(({ name }) => name === 'unsafe, ETA' || name === 'harmful requests aligned');
  assert.equal(eta.length, 2);
  assert.deepEqual(strays(eta, recorded.sample.rows, SEARCH_TOLERANCE), []);
  const unsafe = (method: string) => rowsOf(rows, 7).find(({ name }) => name === method)?.estimate.value;
  const [vanilla = 0, after = 1] = [unsafe('vanilla'), unsafe('eta')];
  assert.ok(after < vanilla, `unsafe: vanilla ${vanilla}, ETA ${after}`);
});

test('requests without a picture are shown under every method, as recorded, in shares that add up', () => {
  const text = rowsOf(rows, 9);
  assert.deepEqual(strays(text, recorded.sample.rows, SEARCH_TOLERANCE), []);
  const share = (known: readonly { name: string; value: number }[], name: string) => {
    const found = known.find((row) => row.name === name);
    assert.ok(found !== undefined, `${name} was not measured`);
    return found.value;
  };
  const ends = ["refused in the model's own words", 'the fixed sentence', 'answered', 'something else'];
  const sample = text.map(({ name, estimate }) => ({ name, value: estimate.value }));
  for (const known of [sample, recorded.rows, recorded.sample.rows]) {
    for (const method of ['vanilla', 'pre', 'post', 'shallow', 'deep', 'eta']) {
      const shares = ends.map((end) => share(known, `${method}: harmful, ${end}`));
      assert.ok(Math.abs(shares.reduce((sum, value) => sum + value) - 1) < 0.001, `${method}: ${shares}`);
      for (const end of ['helped', 'aligned', 'the fixed sentence']) share(known, `${method}: harmless, ${end}`);
    }
  }
  const card = readFileSync(`${root}models/miniature/README.md`, 'utf8');
  for (const { name } of text) assert.ok(card.includes(`| ${name} `), `the card lacks ${name}`);
});

test('the sample is of the kind that was measured at large', () => {
  for (const name of ['all questions', 'harmful requests refused', 'harmless requests helped', 'drawn, unsafe']) {
    const [large] = recorded.rows.filter((row) => row.name === name);
    const [small] = rows.filter((row) => row.name === name);
    assert.ok(large !== undefined && small !== undefined, `${name} was not measured`);
    // Both are samples of one rate: their intervals meet.
    assert.ok(
      small.estimate.low <= large.high && large.low <= small.estimate.high,
      `${name}: ${small.estimate.low} to ${small.estimate.high}, at large ${large.low} to ${large.high}`,
    );
  }
});

test('the comparison sees a figure that is off, one that is missing, and a count that changed', () => {
  const found = rows.filter(({ name }) => name === 'all questions');
  const [row] = recorded.sample.rows.filter(({ name }) => name === 'all questions');
  assert.ok(row !== undefined, 'all questions is not recorded');
  assert.equal(strays(found, [{ ...row, value: row.value - 0.1 }], GREEDY_TOLERANCE).length, 1);
  assert.equal(strays(found, [{ ...row, count: row.count + 1 }], GREEDY_TOLERANCE).length, 1);
  assert.equal(strays(found, [], GREEDY_TOLERANCE).length, 1);
});
