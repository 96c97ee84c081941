/** All figures of one evaluation, from answers and scores; and the two drawings. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { factsOf, type JudgedAnswer, type MiniatureItem, type MiniatureSet } from '../../src/benchmark/index.js';
import { type Eta, type ResolvedModels, UsageError } from '../../src/index.js';
import { type Distribution, histogramPlot, standaloneSvg } from '../../src/report/index.js';
import { groupBy, median } from '../../src/statistics/index.js';
import { type Groups, groupsOf } from './groups.js';
import { JudgedAnswers, round, verdictShares } from './judged.js';
import { SETTINGS } from './plan.js';
import { points } from './points.js';
import type { Row } from './rows.js';
import type { EvaluatorScores, HardScore } from './scores.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Sentences of the model's own that the reward model is asked about, at most. */
const OWN_LIMIT = 400;

export interface Report {
  readonly rows: readonly Row[];
  readonly groups: Groups;
  readonly judged: JudgedAnswers;
  readonly scores: EvaluatorScores;
  readonly own: readonly HardScore[];
  /** Milliseconds of one answer through ETA with nothing beside it; NaN when none was timed. */
  readonly medianMs: number;
}

/** The candidates of the first rounds as answers that a reward model can get right or wrong; what is in between is left out. */
function ownSentences(judged: JudgedAnswers): { kind: string; text: string; isSafe: boolean }[] {
  const safe = ['refusal', 'advice', 'decline', 'answer'];
  const unsafe = ['harm', 'other-harm', 'garbled'];
  const found = judged.candidateGroups().flatMap(({ candidates }) =>
    candidates.flatMap(({ text, judgement: { verdict } }) => {
      const isSafe = safe.includes(verdict);
      return isSafe || unsafe.includes(verdict) ? [{ kind: verdict, text, isSafe }] : [];
    }),
  );
  const unique = [...new Map(found.map((sentence) => [sentence.text, sentence])).values()];
  const step = Math.max(1, unique.length / OWN_LIMIT);
  return unique.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
}

export async function report(options: {
  readonly answers: readonly JudgedAnswer<MiniatureItem>[];
  readonly set: MiniatureSet;
  readonly scores: EvaluatorScores;
  /** Scores the model's own sentences. */
  readonly score: (sentences: readonly { kind: string; text: string; isSafe: boolean }[]) => Promise<HardScore[]>;
}): Promise<Report> {
  const { answers, set, scores } = options;
  const judged = new JudgedAnswers(answers);
  const own = await options.score(ownSentences(judged));
  const times = answers.flatMap(({ instance, line }) =>
    instance.run === 'alone' && line.timings !== null ? [line.timings.totalMs] : [],
  );
  const rows = await points(judged, scores, own, set.safetyPrompts);
  return { rows, groups: groupsOf(judged), judged, scores, own, medianMs: median(times) };
}

/** What evaluation.json holds of a report. */
export function figures({ rows, groups, judged, medianMs }: Report, items: readonly MiniatureItem[]): object {
  const verdicts = (['vanilla', 'pre', 'post', 'shallow', 'deep', 'eta'] as const).map((method) => {
    const kinds = groupBy(judged.of(method, 'harm'), ({ instance }) => instance.item.kind);
    return [method, Object.fromEntries([...kinds].map(([kind, rows]) => [kind, verdictShares(rows)]))];
  });
  const keyword = judged.of('eta', 'harm').map(({ text }) => judged.world.keywordRefusal(text ?? ''));
  return {
    items: items.length,
    medianEtaMs: Number.isNaN(medianMs) ? null : Math.round(medianMs),
    rows: rows.map(({ point, name, estimate, target, isMet }) => ({
      point,
      name,
      value: round(estimate.value),
      low: round(estimate.low),
      high: round(estimate.high),
      count: estimate.count,
      target: target?.shown ?? null,
      isMet,
    })),
    groups,
    harmVerdicts: Object.fromEntries(verdicts),
    keywordRefusalsOfEta: round(keyword.filter(Boolean).length / keyword.length),
  };
}

/** The figures belong to these files and these settings alone. */
export function provenance(eta: Eta): object {
  const { models, thresholds, policy } = eta.facts;
  return {
    settings: { ...SETTINGS, policy: policy.name, interferencePrefix: policy.interferencePrefix },
    thresholds,
    files: fileHashes(models),
  };
}

function fileHashes({ languageModel, projector, clip, rewardModel }: ResolvedModels): Record<string, string> {
  const paths = [
    languageModel,
    projector,
    ...['vision_model.onnx', 'text_model.onnx', 'tokenizer.json', 'manifest.json'].map(
      (name) => clip && `${clip}/${name}`,
    ),
    ...['model.onnx', 'tokenizer.json', 'manifest.json'].map((name) => rewardModel && `${rewardModel}/${name}`),
  ].filter((path) => path !== null);
  const hash = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
  return Object.fromEntries(paths.map((path) => [relative(root, path), hash(path)]));
}

export async function clipScoresSvg({ scores }: Report): Promise<string> {
  const of = (kind: string) =>
    scores.pictures.filter((picture) => picture.kind === kind).map((picture) => picture.scores[0] ?? Number.NaN);
  return await histogramSvg('miniature-clip-scores', {
    title: 'CLIP scores of test pictures under the safety prompt',
    axis: 'CLIP score (cosine)',
    threshold: { name: 'unsafeClipScore', value: scores.unsafeClipScore },
    groups: [
      { name: 'clean scenes', values: of('clean'), kind: 'safe' },
      { name: 'harmless lists', values: of('list'), kind: 'safe' },
      { name: 'drawn hazards', values: of('drawn'), kind: 'unsafe' },
      { name: 'harmful lists', values: of('harmful-list'), kind: 'unsafe' },
    ],
  });
}

/** Rewards by which the gate decides: of the model's own answers, and of what the search made of them. */
export async function rewardsSvg({ scores, judged }: Report): Promise<string> {
  const eta = judged.of('eta', 'harm');
  const vanilla = eta.flatMap(({ instance: { item }, line: { verdict, trace } }) =>
    verdict?.answer == null || trace?.vanillaText == null
      ? []
      : [{ reward: verdict.answer.score, verdict: judged.world.judge(trace.vanillaText, factsOf(item)).verdict }],
  );
  const aligned = eta.flatMap(({ line, judgement }) =>
    line.verdict?.final == null ? [] : [{ reward: line.verdict.final.score, verdict: judgement.verdict }],
  );
  const pick = (rows: readonly { reward: number; verdict: string }[], ...verdicts: string[]) =>
    rows.filter(({ verdict }) => verdicts.includes(verdict)).map(({ reward }) => reward);
  return await histogramSvg('miniature-rewards', {
    title: 'Rewards of answers to harmful requests (post-evaluation)',
    axis: 'reward',
    threshold: { name: 'safeReward', value: scores.safeReward },
    groups: [
      { name: 'vanilla, unsafe', values: pick(vanilla, 'harm', 'other-harm'), kind: 'unsafe' },
      { name: 'vanilla, other', values: pick(vanilla, 'answer', 'off-topic', 'garbled'), kind: 'other' },
      { name: 'ETA, refusal or advice', values: pick(aligned, 'refusal', 'advice', 'decline'), kind: 'safe' },
      { name: 'ETA, off-topic', values: pick(aligned, 'answer', 'off-topic'), kind: 'other' },
      { name: 'ETA, garbled', values: pick(aligned, 'garbled', 'empty'), kind: 'other' },
      { name: 'ETA, unsafe', values: pick(aligned, 'harm', 'other-harm'), kind: 'unsafe' },
    ],
  });
}

/** @throws UsageError when there is nothing to draw */
async function histogramSvg(name: string, distribution: Distribution): Promise<string> {
  const plot = await histogramPlot(name, distribution);
  if (plot === null) throw new UsageError('ERR_INVALID_OPTION', `Expected scores for ${name}, received none.`);
  return standaloneSvg(plot);
}
