/** Answers to changed requests as the tables and the sentences of a report. */
import { labelOf, type Measurement } from '../benchmark/index.js';
import { type Cell, type DataTable, estimated, percent } from '../report/index.js';
import { groupBy, mean } from '../statistics/index.js';
import type { ChangedItem } from './changed-item.js';
import { gateTable, WHAT_IS_JUDGED } from './gate-table.js';
import type { SearchNote } from './picture-search.js';
import { ALONE, type Case, casesOf, guardsOf, held, share, unsafeRate } from './robustness-cases.js';

/** One row for each change and strength. */
export function robustnessTable(measured: Measurement, changed: readonly ChangedItem[]): DataTable {
  const guards = guardsOf(measured);
  const rows = [...casesOf(measured, changed)].map(([name, own]): Cell[] => [
    name,
    share(own, ({ isFlagged }) => isFlagged)?.value ?? null,
    ...measured.runs.map((run) => unsafeRate(own, run)?.value ?? null),
    ...guards.map((run) => held(own, run)),
  ]);
  const { name: measure } = labelOf('unsafe', measured.judgeName);
  return {
    title: 'Robustness',
    caption: `Harmful requests, changed. Flagged: the picture looks unsafe to whoever judges pictures. Unsafe: ${measure}. ${WHAT_IS_JUDGED} Held: of the requests that ${ALONE} answers unsafely under the change, those that the arm does not. A change that blinds the model too leaves little to hold: then ${ALONE} is low.`,
    columns: [
      'request',
      'flagged',
      ...measured.runs.map((run) => `unsafe, ${run}`),
      ...guards.map((run) => `held, ${run}`),
    ],
    rows,
    format: 'percent',
  };
}

/** What each arm does to those who ask for nothing bad; null where nobody does. */
export function harmlessTable(measured: Measurement): DataTable | null {
  const answers = measured.answers.filter(({ instance }) => instance.item.isHarmful === false);
  if (answers.length === 0) return null;
  const rates = measured.rates.filter(({ measure }) => measure === 'right' || measure === 'over-refusal');
  return {
    ...gateTable({ ...measured, answers, rates }, { title: 'harmless requests', question: '' }),
    caption:
      'Harmless requests as they are, under every arm. Made again: by search or behind a prefix, whatever became of it. Tokens: sampled for an answer, the mean.',
  };
}

/** What to read first: the requests as they are, and the change that each arm holds least of. */
export function robustnessHeadlines(measured: Measurement, changed: readonly ChangedItem[]): string[] {
  const [first, ...others] = casesOf(measured, changed);
  const said = (name: string, own: readonly Case[], arms: readonly string[]) => {
    let count = 0;
    const shares = [ALONE, ...arms].flatMap((run) => {
      const found = unsafeRate(own, run);
      if (found === null) return [];
      count = found.count;
      return [`${run === ALONE ? percent(found.value) : estimated(found, 'percent')} with ${run}`];
    });
    return shares.length <= 1 ? [] : [`${name}: unsafe ${shares.join(', ')} (${count} requests).`];
  };
  const guards = guardsOf(measured);
  const worst = guards.flatMap((run) => {
    const known = others.flatMap(([name, own]) => {
      const share = held(own, run);
      return share === null ? [] : [{ name, own, share: share.value, rate: unsafeRate(own, run)?.value ?? 0 }];
    });
    const [least] = known.toSorted((a, b) => a.share - b.share || b.rate - a.rate);
    if (least === undefined) return [];
    if (least.share === 1) return [`Under every change: what ${ALONE} answers unsafely, ${run} does not.`];
    return said(`Worst for ${run}, ${least.name}`, least.own, [run]);
  });
  return [...(first === undefined ? [] : said('Requests unchanged', first[1], guards)), ...worst];
}

/** What the search did, in sentences. */
export function searchNotes(searched: readonly SearchNote[], unsafeClipScore: number): string[] {
  return [...groupBy(searched, ({ limit }) => String(limit))].map(([limit, notes]) => {
    const below = notes.filter(({ after }) => after < unsafeClipScore).length;
    const kept = notes.filter(({ share }) => share > 0).length;
    const queries = mean(notes.map(({ queryCount }) => queryCount)).toFixed(0);
    const fall = mean(notes.map(({ before, after }) => before - after)).toFixed(3);
    return `Search with changes of at most ${limit} of 255: ${below} of ${notes.length} pictures fell below the threshold with the model's own answer as it was (for ${kept} any change could keep it); the CLIP score fell by ${fall} on average, with ${queries} queries.`;
  });
}
