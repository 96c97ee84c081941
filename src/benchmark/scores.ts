/** What the evaluators saw on the way to the answers: scores, the gate's cells, times. */
import { planOf } from '../policy/index.js';
import type { Distribution, GateOutcome, PhaseTimes, ScoreGroup } from '../report/index.js';
import { aucEstimate, groupBy, mean, median, quantile } from '../statistics/index.js';
import type { Gate } from '../types/policy.js';
import type { Timings } from '../types/result.js';
import type { Thresholds } from '../types/thresholds.js';
import type { Judgement, Verdict } from '../types/verdict.js';
import type { JudgedAnswer } from './judging.js';

/** What is drawn of one evaluator's scores. */
interface Drawn {
  readonly evaluator: Judgement['evaluator'];
  readonly title: string;
  readonly axis: string;
  /** Name of its threshold. */
  readonly threshold: keyof Thresholds;
}

const OF_PICTURES: readonly Drawn[] = [
  {
    evaluator: 'clip',
    title: 'CLIP scores of the pictures',
    axis: 'CLIP score (cosine)',
    threshold: 'unsafeClipScore',
  },
  {
    evaluator: 'decision',
    title: 'Decisions about the pictures',
    axis: 'decision (the higher, the less safe)',
    threshold: 'unsafeDecision',
  },
];

const OF_ANSWERS: readonly Drawn[] = [
  { evaluator: 'reward', title: 'Rewards of the answers to harmful requests', axis: 'reward', threshold: 'safeReward' },
  {
    evaluator: 'decision',
    title: 'Decisions about the answers to harmful requests',
    axis: 'decision (the higher, the safer)',
    threshold: 'safeDecision',
  },
];

/**
 * Scores of the pictures by what is asked about them, and of the answers by what the judge says of them, each evaluator's on
 * its own scale.
 */
export async function distributions(answers: readonly JudgedAnswer[], thresholds: Thresholds): Promise<Distribution[]> {
  const all: Distribution[] = [];
  for (const drawn of OF_PICTURES) all.push(await ofPictures(answers, drawn, thresholds));
  for (const drawn of OF_ANSWERS) all.push(await ofAnswers(answers, drawn, thresholds));
  return all.filter(({ groups }) => groups.some(({ values }) => values.length > 0));
}

function thresholdOf({ threshold: name }: Drawn, thresholds: Thresholds): Distribution['threshold'] {
  const value = thresholds[name] ?? null;
  return value === null ? null : { name, value };
}

async function ofPictures(
  answers: readonly JudgedAnswer[],
  drawn: Drawn,
  thresholds: Thresholds,
): Promise<Distribution> {
  // A picture that several questions or runs share counts once.
  const scores = new Map<string, { readonly isHarmful: boolean | null; readonly score: number }>();
  for (const { instance, line } of answers) {
    const score = scoreOf(drawn.evaluator, line.verdict?.picture);
    const { image, isHarmful, id } = instance.item;
    if (score !== null)
      scores.set(typeof image === 'string' && !image.startsWith('data:') ? image : id, { isHarmful, score });
  }
  const of = (wanted: boolean | null) =>
    [...scores.values()].flatMap(({ isHarmful, score }) => (isHarmful === wanted ? [score] : []));
  const [harmful, harmless] = [of(true), of(false)];
  const groups: ScoreGroup[] = [
    { name: 'harmless requests', kind: 'safe', values: harmless },
    { name: 'harmful requests', kind: 'unsafe', values: harmful },
    { name: 'requests of no known kind', kind: 'other', values: of(null) },
  ];
  return {
    title: drawn.title,
    axis: drawn.axis,
    threshold: thresholdOf(drawn, thresholds),
    groups: groups.filter(({ values }) => values.length > 0),
    ...(harmful.length > 0 && harmless.length > 0 ? { auc: await aucEstimate(harmful, harmless) } : {}),
  };
}

/** Scores of different evaluators are on different scales: one alone is drawn. */
function scoreOf(evaluator: Judgement['evaluator'], judgement: Judgement | null | undefined): number | null {
  return judgement?.evaluator === evaluator ? judgement.score : null;
}

interface Scored {
  readonly verdict: string;
  readonly score: number;
}

/** The model's own answer is judged in vanilla's run of the same item. */
async function ofAnswers(
  answers: readonly JudgedAnswer[],
  drawn: Drawn,
  thresholds: Thresholds,
): Promise<Distribution> {
  const vanilla = new Map(
    answers.flatMap(({ instance, verdict }) =>
      instance.run === 'vanilla' && verdict !== null ? [[instance.item.id, verdict]] : [],
    ),
  );
  const own = new Map<string, Scored>();
  const aligned: Scored[] = [];
  for (const { instance, line, verdict } of answers) {
    const score = scoreOf(drawn.evaluator, line.verdict?.answer);
    const final = scoreOf(drawn.evaluator, line.verdict?.final);
    const known = vanilla.get(instance.item.id);
    if (score !== null && known !== undefined) own.set(instance.item.id, { verdict: known, score });
    if (final !== null && verdict !== null) aligned.push({ verdict, score: final });
  }
  const pick = (rows: Iterable<Scored>, wanted: string) =>
    [...rows].flatMap(({ verdict, score }) => (verdict === wanted ? [score] : []));
  const [unsafe, safe] = [pick(own.values(), 'unsafe'), pick(own.values(), 'safe')];
  const groups: ScoreGroup[] = [
    { name: "the model's own, judged safe", kind: 'safe', values: safe },
    { name: "the model's own, judged unsafe", kind: 'unsafe', values: unsafe },
    { name: 'aligned, judged safe', kind: 'safe', values: pick(aligned, 'safe') },
    { name: 'aligned, judged unsafe', kind: 'unsafe', values: pick(aligned, 'unsafe') },
  ];
  return {
    title: drawn.title,
    axis: drawn.axis,
    threshold: thresholdOf(drawn, thresholds),
    groups: groups.filter(({ values }) => values.length > 0),
    ...(safe.length > 0 && unsafe.length > 0 ? { auc: await aucEstimate(safe, unsafe) } : {}),
  };
}

/** What the gate saw under each run that has one, for harmful requests and others. */
export function gates(answers: readonly JudgedAnswer[]): GateOutcome[] {
  const gated = answers.filter(
    ({ line }) => line.verdict !== null && (line.verdict.picture !== null || line.verdict.answer !== null),
  );
  const groups = groupBy(gated, ({ instance }) => `${instance.run}\n${groupName(instance.item.isHarmful)}`);
  return [...groups].map(([key, rows]) => {
    const [method = '', group = ''] = key.split('\n');
    const verdicts = rows.flatMap(({ line }) => (line.verdict === null ? [] : [line.verdict]));
    const cells = groupBy(verdicts, ({ picture, answer }) => `${picture?.isUnsafe} ${answer?.isUnsafe}`);
    const count = (action: Verdict['action']) => verdicts.filter((verdict) => verdict.action === action).length;
    return {
      method,
      gate: gateOf(rows),
      group,
      cells: [...cells.values()].flatMap((same) => {
        const [first] = same;
        if (first === undefined) return [];
        const { picture, answer } = first;
        return [
          { imageIsUnsafe: picture?.isUnsafe ?? null, answerIsUnsafe: answer?.isUnsafe ?? null, count: same.length },
        ];
      }),
      actions: { answered: count('answered'), aligned: count('aligned'), refused: count('refused') },
    };
  });
}

/** The one that stood before all of these answers. */
function gateOf(rows: readonly JudgedAnswer[]): Gate | null {
  const found = rows.map(({ instance: { method }, line }) => planOf({ method, gate: line.trace?.gate ?? null }).gate);
  const [first = null, ...others] = new Set(found);
  return others.length === 0 ? first : null;
}

const groupName = (isHarmful: boolean | null) =>
  isHarmful === null ? 'all requests' : isHarmful ? 'harmful requests' : 'harmless requests';

/** Names of an answer's phases, in the order in which they are drawn. */
export const PHASES: readonly (readonly [name: string, field: keyof Timings])[] = [
  ['picture', 'imageDecodeMs'],
  ['CLIP', 'clipMs'],
  ['prefill', 'prefillMs'],
  ['own answer', 'vanillaMs'],
  ['reward', 'rewardMs'],
  ['alignment', 'alignMs'],
];

/** Mean time by phase of each run. Requests that ran side by side waited for one another. */
export function times(answers: readonly JudgedAnswer[], runs: readonly string[]): PhaseTimes[] {
  return runs.flatMap((run) => {
    const timed = answers.flatMap(({ instance, line }) =>
      instance.run === run && line.timings !== null ? [line.timings] : [],
    );
    if (timed.length === 0) return [];
    const of = (field: keyof Timings) => timed.map((timings) => timings[field]);
    const quantiles = (values: readonly number[]) => ({
      median: median(values),
      p90: quantile(values, 0.9),
      mean: mean(values),
    });
    return [
      {
        method: run,
        count: timed.length,
        meanMs: Object.fromEntries(PHASES.map(([name, field]) => [name, mean(of(field))])),
        totalMs: quantiles(of('totalMs')),
        firstTextMs: quantiles(of('firstTextMs')),
      },
    ];
  });
}
