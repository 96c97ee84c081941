/** The methods as tables of what they do, and the gate's arithmetic. */
import type { Gate, Method, Release, Rung } from '../types/policy.js';
import type { Policy } from './policy.js';

/** Whom a gate asks. */
interface Asked {
  /** Whether the CLIP score decides. */
  readonly gatesImage: boolean;
  /** Whether the reward of the model's own answer decides. */
  readonly gatesAnswer: boolean;
}

export interface MethodPlan extends Asked {
  /** Who has to distrust before an answer is made again; null: none ever is. */
  readonly gate: Gate | null;
  /** Whether alignment begins with the interference prefix ("shallow"). */
  readonly usesPrefix: boolean;
  /** Whether alignment searches sentence by sentence ("deep"); otherwise it decodes greedily. */
  readonly usesSearch: boolean;
  /** The rung of a ladder that stands in the place of prefix and search; null: they do. */
  readonly ownRung: Rung | null;
}

const ASKED: Readonly<Record<Gate, Asked>> = {
  both: { gatesImage: true, gatesAnswer: true },
  either: { gatesImage: true, gatesAnswer: true },
  picture: { gatesImage: true, gatesAnswer: false },
  answer: { gatesImage: false, gatesAnswer: true },
  lowAnswerOrBoth: { gatesImage: true, gatesAnswer: true },
};

export const GATES = Object.keys(ASKED) as readonly Gate[];

export const RUNGS = ['refusingPrefix', 'caption', 'steered'] as const satisfies readonly Rung[];

const planned = (
  gate: Gate | null,
  usesPrefix: boolean,
  usesSearch: boolean,
  ownRung: Rung | null = null,
): MethodPlan => ({
  gate,
  ...(gate === null ? { gatesImage: false, gatesAnswer: false } : ASKED[gate]),
  usesPrefix,
  usesSearch,
  ownRung,
});

/**
 * The paper's ablation: evaluation by one side or both, alignment shallow, deep or both. And ECSO (Gou et al., ECCV 2024, arXiv
 * 2403.09572): the answer is checked, and made again with its eyes closed. And a safety vector (a raw difference of means,
 * added to the state behind one layer): the paper's gate, then the model steered.
 */
export const METHOD_PLANS: Readonly<Record<Method, MethodPlan>> = {
  vanilla: planned(null, false, false),
  pre: planned('picture', true, true),
  post: planned('answer', true, true),
  shallow: planned('both', true, false),
  deep: planned('both', false, true),
  eta: planned('both', true, true),
  ecso: planned('answer', false, false, 'caption'),
  steered: planned('both', false, false, 'steered'),
};

export const METHODS = Object.keys(METHOD_PLANS) as readonly Method[];

export const RELEASES: readonly [Release, ...Release[]] = ['whole', 'checked'];

/** What of a policy says who is asked and what is done. */
export type Planned = Pick<Policy, 'method' | 'gate'>;

/** What a method does, behind the gate that was named in the place of its own. */
export function planOf({ method, gate }: Planned): MethodPlan {
  const own = METHOD_PLANS[method];
  return gate === null ? own : { ...own, gate, ...ASKED[gate] };
}

/**
 * What it does for a request with so many pictures: where a description is to stand in for them, there has to be one. ECSO
 * says nothing of others.
 */
export function planFor(policy: Planned, pictureCount: number): MethodPlan {
  const plan = planOf(policy);
  return plan.ownRung === 'caption' && pictureCount === 0 ? METHOD_PLANS.vanilla : plan;
}

/** The rungs that may come, in order: a method's own, then those that were named, each once. */
export function rungsOf(policy: Planned & Pick<Policy, 'ladder'>): readonly Rung[] {
  const { ownRung } = planOf(policy);
  return ownRung === null ? policy.ladder : [ownRung, ...policy.ladder.filter((rung) => rung !== ownRung)];
}

/**
 * Whether another gate may stand before a method: `pre`, `post` and `ecso` are their gate, `vanilla` makes nothing again.
 */
export function takesGate(method: Method): boolean {
  return METHOD_PLANS[method].gate === 'both';
}

/** Whether it is the answer's low threshold that counts: where the picture is not distrusted, or nothing is shown. */
export function isLowAnswerAsked(policy: Planned, pictureIsUnsafe: boolean | null): boolean {
  return planOf(policy).gate === 'lowAnswerOrBoth' && pictureIsUnsafe !== true;
}

/** Whether other seeds give other answers: the search draws, and the model's own answer where it is not greedy. */
export function draws(method: Method, answerTemperature: number): boolean {
  return METHOD_PLANS[method].usesSearch || answerTemperature > 0;
}

/** A method that needs all that any of these needs: what an Eta is loaded for when each request says its own. */
export function coveringMethod(methods: readonly Method[]): Method {
  const needed = methods.filter((method) => method !== 'vanilla');
  if (needed.length === 0) return 'vanilla';
  if (needed.every((method) => method === 'ecso')) return 'ecso';
  return needed.every((method) => method === 'post' || method === 'ecso') ? 'post' : 'eta';
}

/** Reference: safe is strictly below the threshold. */
export function pictureIsUnsafe(clipScore: number, unsafeClipScore: number): boolean {
  return !(clipScore < unsafeClipScore);
}

/** Reference: safe is strictly above the threshold. */
export function answerIsUnsafe(reward: number, safeReward: number): boolean {
  return !(reward > safeReward);
}
