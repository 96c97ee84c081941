/** Answers to changed pictures as the table, the curves and the sentences of a report. */
import { type JudgedAnswer, labelOf, type Measurement } from '../benchmark/index.js';
import { type Cell, type Curve, type DataTable, estimated, percent } from '../report/index.js';
import { bootstrap, type Estimate, groupBy, mean, rate } from '../statistics/index.js';
import { type ChangedItem, label, type SearchNote, unitOf } from './changed-pictures.js';
import { SEARCH } from './picture-changes.js';

/** One item under one change: unsafe or not under each arm, and whether the gate saw it. */
interface Case {
  readonly from: string;
  readonly vanilla: number | null;
  readonly post: number | null;
  readonly eta: number | null;
  readonly isFlagged: number | null;
}

/** One row for each change and strength. */
export async function robustnessTable(measured: Measurement, changed: readonly ChangedItem[]): Promise<DataTable> {
  const cases = casesOf(measured, changed);
  const plain = cases.get(label('none', 0)) ?? [];
  const hasPost = measured.runs.includes('post');
  const rows: Cell[][] = [];
  for (const [name, own] of cases) {
    rows.push([
      name,
      share(own, ({ isFlagged }) => isFlagged)?.value ?? null,
      share(own, ({ vanilla }) => vanilla)?.value ?? null,
      ...(hasPost ? [share(own, ({ post }) => post)?.value ?? null] : []),
      share(own, ({ eta }) => eta),
      await gain(own),
      await remaining(plain, own),
    ]);
  }
  const { name: measure } = labelOf('unsafe', measured.judgeName);
  return {
    title: 'Robustness',
    caption: `Harmful requests, their pictures changed. Flagged: the CLIP score is at or above the threshold. Gain: ${measure} of vanilla minus that of eta on the changed pictures, paired. Left of the gain: that, divided by the gain on the same pictures unchanged. A change that also blinds the model leaves little to gain: then vanilla is low too.`,
    columns: [
      'picture',
      'flagged',
      'unsafe, vanilla',
      ...(hasPost ? ['unsafe, post'] : []),
      'unsafe, eta',
      'gain',
      'left of the gain',
    ],
    rows,
    format: 'percent',
  };
}

/** A line for each arm over the strengths of each change, and one for what the gate flags. */
export function robustnessCurves(measured: Measurement, changed: readonly ChangedItem[]): Curve[] {
  const cases = casesOf(measured, changed);
  const names = [...new Set(changed.map(({ change }) => change))].filter((name) => name !== 'none');
  return names.map((name) => {
    const strengths = [0, ...new Set(changed.filter(({ change }) => change === name).map(({ strength }) => strength))];
    const line = (series: string, value: (one: Case) => number | null) => ({
      name: series,
      points: strengths.flatMap((strength) => {
        const found = share(cases.get(label(name, strength)) ?? [], value);
        return found === null ? [] : [{ x: strength, y: found.value, low: found.low, high: found.high }];
      }),
    });
    return {
      title: name === SEARCH ? 'Search for a lower CLIP score' : `Change: ${name}`,
      caption: 'Unsafe rates on the changed pictures, and the share of them that the gate flags. 0: unchanged.',
      x: unitOf(name),
      y: 'share of the requests',
      isShare: true,
      series: [
        line('vanilla', ({ vanilla }) => vanilla),
        ...(measured.runs.includes('post') ? [line('post', ({ post }) => post)] : []),
        line('eta', ({ eta }) => eta),
        line('flagged', ({ isFlagged }) => isFlagged),
      ],
    };
  });
}

/** What to read first: how ETA does on the pictures as they are, and under the change that it stands worst. */
export function robustnessHeadlines(measured: Measurement, changed: readonly ChangedItem[]): string[] {
  const rows = [...casesOf(measured, changed)].flatMap(([name, own]) => {
    const [vanilla, eta] = [share(own, (one) => one.vanilla), share(own, (one) => one.eta)];
    return vanilla === null || eta === null ? [] : [{ name, vanilla, eta, post: share(own, (one) => one.post) }];
  });
  const said = ({ name, vanilla, eta, post }: (typeof rows)[number]) => {
    const alone = post === null ? '' : `; with post ${percent(post.value)}`;
    return `${name}: unsafe ${percent(vanilla.value)} with vanilla, ${estimated(eta, 'percent')} with eta${alone} (${eta.count} pictures).`;
  };
  const plain = rows.find(({ name }) => name === label('none', 0));
  const [worst] = rows.filter((row) => row !== plain).sort((a, b) => b.eta.value - a.eta.value);
  return [
    ...(plain === undefined ? [] : [`Pictures ${said(plain)}`]),
    ...(worst === undefined ? [] : [`Worst for eta, ${said(worst)}`]),
  ];
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

/** By what was done to the picture, in the order of the changes. */
function casesOf({ answers }: Measurement, changed: readonly ChangedItem[]): Map<string, Case[]> {
  const byItem = groupBy(answers, ({ instance }) => instance.item.id);
  const cases = changed.map((one) => {
    const own = byItem.get(one.item.id) ?? [];
    const value = (run: string) =>
      meanOf(own.filter(({ instance }) => instance.run === run).map((answer) => answer.value));
    return {
      name: label(one.change, one.strength),
      found: {
        from: one.from,
        vanilla: value('vanilla'),
        post: value('post'),
        eta: value('eta'),
        isFlagged: flagged(own),
      },
    };
  });
  return new Map([...groupBy(cases, ({ name }) => name)].map(([name, rows]) => [name, rows.map(({ found }) => found)]));
}

function flagged(answers: readonly JudgedAnswer[]): number | null {
  const [judged] = answers.flatMap(({ line }) => line.verdict?.picture ?? []);
  return judged === undefined ? null : Number(judged.isUnsafe);
}

function share(cases: readonly Case[], value: (one: Case) => number | null): Estimate | null {
  const values = cases.map(value).filter((found) => found !== null);
  return values.length === 0 ? null : rate(values);
}

interface Gain {
  readonly from: string;
  readonly gained: number;
}

/** Of the items that both arms have a judged answer to. */
function gains(cases: readonly Case[]): Gain[] {
  return cases.flatMap(({ from, vanilla, eta }) =>
    vanilla === null || eta === null ? [] : [{ from, gained: vanilla - eta }],
  );
}

async function gain(cases: readonly Case[]): Promise<Estimate | null> {
  const found = gains(cases);
  return found.length === 0 ? null : await bootstrap(found, (sample) => mean(sample.map(({ gained }) => gained)));
}

/** Gain on the changed pictures over the gain on the same pictures unchanged; null where there was none to lose. */
async function remaining(plain: readonly Case[], changed: readonly Case[]): Promise<Estimate | null> {
  const before = new Map(gains(plain).map(({ from, gained }) => [from, gained]));
  const pairs = gains(changed).flatMap(({ from, gained }) => {
    const was = before.get(from);
    return was === undefined ? [] : [{ was, gained }];
  });
  if (pairs.length === 0 || mean(pairs.map(({ was }) => was)) <= 0) return null;
  return await bootstrap(
    pairs,
    (sample) => mean(sample.map(({ gained }) => gained)) / mean(sample.map(({ was }) => was)),
  );
}

function meanOf(values: readonly (number | null)[]): number | null {
  const found = values.filter((value) => value !== null);
  return found.length === 0 ? null : mean(found);
}
