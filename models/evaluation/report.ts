/** All figures of one evaluation, from answers and scores; and the two drawings. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Eta, ResolvedModels } from '../../src/index.js';
import { type Answer, SETTINGS } from './answers.js';
import type { Item, ItemSet } from './items.js';
import type { Judge } from './judge.js';
import { JudgedAnswers, round, verdictShares } from './judged.js';
import { points, type Row } from './points.js';
import type { EvaluatorScores, HardScore } from './scores.js';
import { groupBy, median } from './statistics.js';
import { histogramSvg, OTHER_COLOUR, SAFE_COLOUR, UNSAFE_COLOUR } from './svg.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Sentences of the model's own that the reward model is asked about, at most. */
const OWN_LIMIT = 400;

export interface Report {
  readonly rows: readonly Row[];
  readonly judged: JudgedAnswers;
  readonly scores: EvaluatorScores;
  readonly own: readonly HardScore[];
  /** Milliseconds of one answer through ETA with nothing beside it; NaN when none was timed. */
  readonly medianMs: number;
}

/** The candidates of the first rounds as answers that a reward model can get right or wrong; what is in between is left out. */
export function ownSentences(judged: JudgedAnswers): { kind: string; text: string; isSafe: boolean }[] {
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
  readonly answers: readonly Answer[];
  readonly set: ItemSet;
  readonly judge: Judge;
  readonly scores: EvaluatorScores;
  /** Scores the model's own sentences. */
  readonly score: (sentences: readonly { kind: string; text: string; isSafe: boolean }[]) => Promise<HardScore[]>;
}): Promise<Report> {
  const { answers, set, judge, scores } = options;
  const judged = new JudgedAnswers(answers, set.items, judge);
  const own = await options.score(ownSentences(judged));
  const times = answers.filter(({ run }) => run === 'alone').map(({ totalMs }) => totalMs);
  return { rows: points(judged, scores, own, set.safetyPrompts), judged, scores, own, medianMs: median(times) };
}

/** What evaluation.json holds of a report. */
export function figures({ rows, judged, medianMs }: Report, items: readonly Item[]): object {
  const verdicts = (['vanilla', 'pre', 'post', 'shallow', 'deep', 'eta'] as const).map((method) => {
    const kinds = groupBy(judged.of(method, 'harm'), ({ item }) => item.kind);
    return [method, Object.fromEntries([...kinds].map(([kind, rows]) => [kind, verdictShares(rows)]))];
  });
  const keyword = judged.of('eta', 'harm').map(({ judgedText }) => judged.judge.keywordRefusal(judgedText));
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
    harmVerdicts: Object.fromEntries(verdicts),
    keywordRefusalsOfEta: round(keyword.filter(Boolean).length / keyword.length),
  };
}

/** The figures belong to these files and these settings alone. */
export function provenance(eta: Eta): object {
  const { models, thresholds, policy } = eta.facts;
  return {
    settings: { ...SETTINGS, preset: eta.facts.preset, interferencePrefix: policy.interferencePrefix },
    thresholds,
    files: fileHashes(models),
  };
}

export function fileHashes({ languageModel, projector, clip, rewardModel }: ResolvedModels): Record<string, string> {
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

export function clipScoresSvg({ scores }: Report): string {
  const of = (kind: string) =>
    scores.pictures.filter((picture) => picture.kind === kind).map((picture) => picture.scores[0] ?? Number.NaN);
  return histogramSvg({
    title: 'CLIP scores of test pictures under the safety prompt',
    axis: 'CLIP score (cosine)',
    threshold: scores.unsafeClipScore,
    thresholdName: 'unsafeClipScore',
    groups: [
      { name: 'clean scenes', values: of('clean'), colour: SAFE_COLOUR },
      { name: 'harmless lists', values: of('list'), colour: SAFE_COLOUR },
      { name: 'drawn hazards', values: of('drawn'), colour: UNSAFE_COLOUR },
      { name: 'harmful lists', values: of('harmful-list'), colour: UNSAFE_COLOUR },
    ],
  });
}

/** Rewards by which the gate decides: of the model's own answers, and of what the search made of them. */
export function rewardsSvg({ scores, judged }: Report): string {
  const eta = judged.of('eta', 'harm');
  const vanilla = eta.flatMap(({ reward, vanillaText, item }) =>
    reward === null || vanillaText === null
      ? []
      : [{ reward, verdict: judged.judge.judge(vanillaText, { ...item, hasPicture: true }).verdict }],
  );
  const aligned = eta.flatMap(({ finalReward, judgement }) =>
    finalReward === null ? [] : [{ reward: finalReward, verdict: judgement.verdict }],
  );
  const pick = (rows: readonly { reward: number; verdict: string }[], ...verdicts: string[]) =>
    rows.filter(({ verdict }) => verdicts.includes(verdict)).map(({ reward }) => reward);
  return histogramSvg({
    title: 'Rewards of answers to harmful requests (post-evaluation)',
    axis: 'reward',
    threshold: scores.safeReward,
    thresholdName: 'safeReward',
    groups: [
      { name: 'vanilla, unsafe', values: pick(vanilla, 'harm', 'other-harm'), colour: UNSAFE_COLOUR },
      { name: 'vanilla, other', values: pick(vanilla, 'answer', 'off-topic', 'garbled'), colour: OTHER_COLOUR },
      { name: 'ETA, refusal or advice', values: pick(aligned, 'refusal', 'advice', 'decline'), colour: SAFE_COLOUR },
      { name: 'ETA, off-topic', values: pick(aligned, 'answer', 'off-topic'), colour: OTHER_COLOUR },
      { name: 'ETA, garbled', values: pick(aligned, 'garbled', 'empty'), colour: OTHER_COLOUR },
      { name: 'ETA, unsafe', values: pick(aligned, 'harm', 'other-harm'), colour: UNSAFE_COLOUR },
    ],
  });
}
