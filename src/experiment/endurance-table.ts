/** Answers in the order in which they were asked: a row for each part of the run, and what the second half has other than the first. */
import { differences, isReplaced, type JudgedAnswer, labelOf, type Measurement, rates } from '../benchmark/index.js';
import { type Curve, type DataTable, estimated } from '../report/index.js';
import { bootstrap, groupBy, mean, median, rate } from '../statistics/index.js';
import { gateTable, WHAT_IS_JUDGED } from './gate-table.js';

/** Memory of the process when a share of the answers was there. */
export interface Memory {
  readonly share: number;
  readonly bytes: number;
}

/** Some of the answers, by when they were asked. */
export interface Part {
  readonly name: string;
  readonly answers: readonly JudgedAnswer[];
}

const MIB = 2 ** 20;

/** The answers in parts of as many seeds each, the earliest first: every part holds every item. */
export function partsOf({ answers, seeds }: Pick<Measurement, 'answers' | 'seeds'>, count: number): Part[] {
  return Array.from({ length: count }, (_, at) => {
    const own = new Set(
      seeds.slice(Math.floor((at * seeds.length) / count), Math.floor(((at + 1) * seeds.length) / count)),
    );
    return {
      name: `part ${at + 1} of ${count}`,
      answers: answers.filter(({ instance }) => own.has(instance.seed)),
    };
  });
}

/** The parts as if each were a run of its own. */
function asRuns(parts: readonly Part[]): JudgedAnswer[] {
  return parts.flatMap(({ name, answers }) =>
    answers.map((answer) => ({ ...answer, instance: { ...answer.instance, run: name } })),
  );
}

/** One row for each part. */
export async function enduranceTable(
  measured: Measurement,
  parts: readonly Part[],
  signal?: AbortSignal,
): Promise<DataTable> {
  const answers = asRuns(parts);
  const runs = parts.map(({ name }) => name);
  const own = { ...measured, answers, runs, rates: await rates(answers, runs, signal) };
  const table = gateTable(own, { title: 'endurance', question: '', isTimed: true });
  return {
    ...table,
    caption: `${answers.length} requests under eta, one after the other; each part asks the same ${measured.items.length} questions with other draws. ${WHAT_IS_JUDGED} The fixed sentence is what was shown in the place of what was made. Made again: by search or behind a prefix, whatever became of it. Tokens: sampled for an answer, the mean. Ms: the whole answer, the median.`,
    columns: ['part', ...table.columns.slice(1)],
  };
}

/** What the second half has other than the first: shares over the same questions, and the time. */
export async function driftHeadlines(measured: Measurement, signal?: AbortSignal): Promise<string[]> {
  const [first, second] = partsOf(measured, 2);
  if (first === undefined || second === undefined) return [];
  const found = await differences(asRuns([first, second]), [[second.name, first.name]], signal);
  const shares = found.map(({ measure, difference }) => {
    const { name } = labelOf(measure, measured.judgeName);
    return `Second half of the run minus the first: ${name} ${estimated(difference, 'percent')}.`;
  });
  const times = (part: Part) =>
    new Map(
      [...groupBy(part.answers, ({ instance }) => instance.item.id)].flatMap(([id, same]) => {
        const ms = same.flatMap(({ line }) => line.timings?.totalMs ?? []);
        return ms.length === 0 ? [] : [[id, median(ms)]];
      }),
    );
  const before = times(first);
  const pairs = [...times(second)].flatMap(([id, after]) => {
    const was = before.get(id);
    return was === undefined ? [] : [{ was, after }];
  });
  if (pairs.length === 0) return shares;
  const ratio = await bootstrap(
    pairs,
    (sample) => mean(sample.map(({ after }) => after)) / mean(sample.map(({ was }) => was)),
    signal,
  );
  return [...shares, `Second half of the run over the first: time of an answer ${estimated(ratio, 'number')}.`];
}

/** A line for each thing that could drift. */
export function enduranceCurves(parts: readonly Part[]): Curve[] {
  const line = (
    name: string,
    of: (answer: JudgedAnswer) => boolean,
    value: (answer: JudgedAnswer) => number | null,
  ) => ({
    name,
    points: parts.flatMap(({ answers }, at) => {
      // An item counts once, with the mean over its seeds.
      const values = [...groupBy(answers.filter(of), ({ instance }) => instance.item.id).values()].flatMap((same) => {
        const own = same.flatMap((answer) => value(answer) ?? []);
        return own.length === 0 ? [] : [mean(own)];
      });
      if (values.length === 0) return [];
      const { value: y, low, high } = rate(values);
      return [{ x: at + 1, y, low, high }];
    }),
  });
  const isHarmful = ({ instance }: JudgedAnswer) => instance.item.isHarmful === true;
  const series = [
    line(
      'unsafe',
      ({ instance }) => instance.item.measure === 'unsafe',
      ({ value }) => value,
    ),
    line('fixed sentence', isHarmful, (answer) => (answer.line.verdict === null ? null : Number(isReplaced(answer)))),
    line(
      'right',
      ({ instance }) => instance.item.measure === 'right',
      ({ value }) => value,
    ),
  ];
  return [
    {
      title: 'Over the run',
      caption: 'Shares of the answers in each part of the run, in the order in which they were asked.',
      x: 'part of the run',
      y: 'share of the requests',
      isShare: true,
      series: series.filter(({ points }) => points.length > 0),
    },
  ];
}

/** What the process held after the first tenth, once everything had been in use, and at the end; nothing of a run that went on. */
export function memoryNote(memory: readonly Memory[]): string[] {
  const early = memory.find(({ share }) => share >= 0.1);
  const late = memory.at(-1);
  if (early === undefined || late === undefined || early === late) return [];
  const shown = ({ bytes }: Memory) => `${(bytes / MIB).toFixed(0)} MiB`;
  return [`The process held ${shown(early)} after a tenth of the requests, and ${shown(late)} at the end.`];
}
