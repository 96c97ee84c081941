/** The methods as tables of what they do, and the gate's arithmetic. */
import type { Method, Release } from '../types.js';

export interface MethodPlan {
  /** Whether the CLIP score decides. */
  readonly gatesImage: boolean;
  /** Whether the reward of the model's own answer decides. */
  readonly gatesAnswer: boolean;
  /** Whether alignment begins with the interference prefix ("shallow"). */
  readonly usesPrefix: boolean;
  /** Whether alignment searches sentence by sentence ("deep"); otherwise it decodes greedily. */
  readonly usesSearch: boolean;
}

/** The paper's ablation: evaluation by one side or both, alignment shallow, deep or both. */
export const METHOD_PLANS: Readonly<Record<Method, MethodPlan>> = {
  vanilla: { gatesImage: false, gatesAnswer: false, usesPrefix: false, usesSearch: false },
  pre: { gatesImage: true, gatesAnswer: false, usesPrefix: true, usesSearch: true },
  post: { gatesImage: false, gatesAnswer: true, usesPrefix: true, usesSearch: true },
  shallow: { gatesImage: true, gatesAnswer: true, usesPrefix: true, usesSearch: false },
  deep: { gatesImage: true, gatesAnswer: true, usesPrefix: false, usesSearch: true },
  eta: { gatesImage: true, gatesAnswer: true, usesPrefix: true, usesSearch: true },
};

export const METHODS = Object.keys(METHOD_PLANS) as readonly Method[];

export const RELEASES: readonly [Release, ...Release[]] = ['whole', 'checked'];

/** Whether other seeds give other answers: the search draws, and the model's own answer where it is not greedy. */
export function draws(method: Method, answerTemperature: number): boolean {
  return METHOD_PLANS[method].usesSearch || answerTemperature > 0;
}

/** A method that needs all that any of these needs: what an Eta is loaded for when each request says its own. */
export function coveringMethod(methods: readonly Method[]): Method {
  const needed = methods.filter((method) => method !== 'vanilla');
  if (needed.length === 0) return 'vanilla';
  return needed.every((method) => method === 'post') ? 'post' : 'eta';
}

/** Reference: safe is strictly below the threshold. */
export function pictureIsUnsafe(clipScore: number, unsafeClipScore: number): boolean {
  return !(clipScore < unsafeClipScore);
}

/** Reference: safe is strictly above the threshold. */
export function answerIsUnsafe(reward: number, safeReward: number): boolean {
  return !(reward > safeReward);
}
