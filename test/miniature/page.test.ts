/** The figures of docs/miniature.md are those of models/miniature/evaluation.json, in the form that the evaluation writes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pageFigures } from '../../models/evaluation/page.js';
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

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const { rows: recorded } = JSON.parse(read('models/miniature/evaluation.json')) as { rows: readonly Recorded[] };

const rows = recorded.map(
  ({ point, name, target, isMet, ...estimate }): Row => ({
    point,
    name,
    estimate,
    target: target === null ? null : { shown: target, meets: () => isMet === true },
    isMet,
  }),
);

/** Between the markers, without the line above the figures and that below. */
function shownOn(page: string): string {
  const [, block = ''] = /<!-- begin evaluation -->\n\n([\s\S]*?)\n\n<!-- end evaluation -->/.exec(page) ?? [];
  return block.split('\n\n').slice(1, -1).join('\n\n');
}

const FIGURE = /-?\d+\.\d{3}/g;

/** What differs: words, or figures by more than a last digit that was rounded twice. */
function differences(shown: string, made: string): string[] {
  const words = (text: string) => text.replace(FIGURE, 'figure').replace(/[ -]+/g, ' ');
  if (words(shown) !== words(made)) return [`expected ${made}, the page shows ${shown}`];
  const figures = (text: string) => [...text.matchAll(FIGURE)].map(Number);
  const known = figures(made);
  return figures(shown).flatMap((value, at) =>
    Math.abs(value - (known[at] ?? Number.NaN)) < 0.0011 ? [] : [`expected ${known[at]}, the page shows ${value}`],
  );
}

const PAGE = shownOn(read('docs/miniature.md'));

test('the page shows the figures of evaluation.json', () => {
  assert.ok(rows.length > 100, `only ${rows.length} figures are recorded`);
  assert.deepEqual(differences(PAGE, pageFigures(rows)), []);
});

test('the comparison sees another figure, a row that is missing, and a target that is not met', () => {
  const made = pageFigures(rows);
  assert.notDeepEqual(differences(PAGE.replace('0.965', '0.955'), made), []);
  assert.notDeepEqual(differences(PAGE.replace(/^\| shallow \|.*\n/m, ''), made), []);
  const missed = rows.map((row) => (row.name === 'all questions' ? { ...row, isMet: false } : row));
  assert.match(pageFigures(missed), /\*\*Not met\*\*: point 1, all questions \(target ≥ 0\.9\)\./);
  assert.notDeepEqual(differences(PAGE, pageFigures(missed)), []);
});
