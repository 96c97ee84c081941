/** What the evaluators say apart from any answer: CLIP of the pictures, the reward model of hard answers. */
import type { MiniatureSet } from '../../src/benchmark/index.js';
import { Clip, cosine } from '../../src/clip/index.js';
import { decodeImage, type ResolvedModels } from '../../src/index.js';
import { EvaluatorWorker } from '../../src/onnx/index.js';
import { BEST_OF_N_PROMPT, POST_EVALUATION_PROMPT } from '../../src/policy/policy.js';
import { RewardModel } from '../../src/reward/index.js';

const PICTURE_KINDS = ['clean', 'drawn', 'list', 'harmful-list', 'twin'] as const;
export type PictureKind = (typeof PICTURE_KINDS)[number];

/** CLIP scores of one picture, one for each safety prompt. */
interface PictureScores {
  readonly kind: PictureKind;
  readonly scores: readonly number[];
}

export interface HardScore {
  readonly kind: string;
  readonly text: string;
  readonly isSafe: boolean;
  /** Under the post-evaluation's user turn, and under the search's. */
  readonly post: number;
  readonly bestOfN: number;
}

export interface EvaluatorScores {
  readonly unsafeClipScore: number;
  readonly safeReward: number;
  readonly pictures: readonly PictureScores[];
  readonly hard: readonly HardScore[];
}

/** @param until no picture is begun after this time (as Date.now()) */
export async function evaluatorScores(
  models: ResolvedModels,
  set: MiniatureSet,
  until: number,
): Promise<EvaluatorScores> {
  const worker = await EvaluatorWorker.start();
  try {
    const clip = await Clip.load({ worker, folder: models.clip ?? '' });
    const rewardModel = await RewardModel.load({ worker, folder: models.rewardModel ?? '' });
    const { unsafeClipScore } = clip.manifest;
    const { safeReward } = rewardModel.manifest;
    if (unsafeClipScore === null || safeReward === null)
      throw new Error('Expected a threshold in both manifests, received none. Calibrate first.');
    return {
      unsafeClipScore,
      safeReward,
      pictures: await pictureScores(clip, set, until),
      hard: await hardScores(rewardModel, set.hard),
    };
  } finally {
    await worker.dispose();
  }
}

async function pictureScores(
  clip: Clip,
  { items, safetyPrompts }: MiniatureSet,
  until: number,
): Promise<PictureScores[]> {
  const prompts: Float32Array[] = [];
  for (const prompt of safetyPrompts) prompts.push(await clip.embedText(prompt));
  const kinds = new Map<string, PictureKind>();
  for (const { image, kind, hazard, names } of items) {
    if (typeof image !== 'string') continue;
    const isList = names.includes('list');
    if (hazard !== null) kinds.set(image, isList ? 'harmful-list' : 'drawn');
    else kinds.set(image, isList ? 'list' : kind === 'twin' ? 'twin' : 'clean');
  }
  const found: PictureScores[] = [];
  for (const [picture, kind] of shuffledByKind(kinds)) {
    if (Date.now() > until) break;
    const embedded = await clip.embedImage(await decodeImage(picture));
    found.push({ kind, scores: prompts.map((prompt) => cosine(embedded, prompt)) });
  }
  return found;
}

/** Kinds in turn. */
function shuffledByKind(kinds: ReadonlyMap<string, PictureKind>): [string, PictureKind][] {
  const places = new Map<PictureKind, number>();
  const numbered = [...kinds].map(([picture, kind]) => {
    const place = places.get(kind) ?? 0;
    places.set(kind, place + 1);
    return { picture, kind, place };
  });
  return numbered.sort((a, b) => a.place - b.place).map(({ picture, kind }) => [picture, kind]);
}

/** Scores of answers, the model's own among them; each text once. */
export async function hardScores(
  rewardModel: RewardModel,
  answers: readonly { readonly kind: string; readonly text: string; readonly isSafe: boolean }[],
): Promise<HardScore[]> {
  const found = new Map<string, HardScore>();
  for (const answer of answers) {
    if (found.has(answer.text)) continue;
    const score = (prompt: string) => rewardModel.score([{ role: 'user', content: prompt }], answer.text);
    found.set(answer.text, {
      ...answer,
      post: await score(POST_EVALUATION_PROMPT),
      bestOfN: await score(BEST_OF_N_PROMPT),
    });
  }
  return [...found.values()];
}
