/** Loads what the options of a command name, and says on stderr how far it is. */
import { roomFor } from '../batch/context-room.js';
import { UsageError } from '../errors.js';
import { openEta } from '../eta/index.js';
import { type Eta, type LoadEtaOptions, type LoadProgress, loadEta } from '../index.js';
import { SEQUENCE_COUNT } from '../loading/defaults.js';
import type { FirstRequest } from '../loading/index.js';
import { coveringMethod, METHODS, planOf, takesGate } from '../policy/methods.js';
import { Progress } from '../terminal/progress.js';
import type { Method } from '../types/policy.js';
import { loadOptions } from './load-options.js';
import type { ModelFlags } from './model-options.js';
import { type PolicyFlags, policyOptions } from './policy-options.js';

/**
 * @param first of the one request that the models are for, where they are for one
 * @throws what loadEta throws
 */
export async function loadModels(options: LoadEtaOptions, first?: FirstRequest): Promise<Eta> {
  const progress = new Progress();
  let isShown = true; // evaluators that come late come beside an answer
  const all: LoadEtaOptions = {
    verifyHashes: 'changed', // a command loads anew each time
    ...options,
    onProgress: (at) => {
      if (isShown) progress.show(loadingText(at));
      return options.onProgress?.(at);
    },
  };
  try {
    progress.show('loading the models ...');
    return first === undefined ? await loadEta(all) : await openEta(all, first);
  } finally {
    isShown = false;
    progress.clear();
  }
}

/**
 * Sequences for one request at a time: the candidates of a round and the prompt they fork from.
 *
 * @param candidateCount what was said; undefined leaves the default
 */
export function sequenceCountFor(candidateCount: number | undefined): number | undefined {
  return candidateCount === undefined ? undefined : Math.max(SEQUENCE_COUNT, candidateCount + 1);
}

/** Requests that each say their own method. */
export interface ManyMethods {
  readonly methods: readonly Method[];
  /** Requests at once. */
  readonly concurrency: number;
  /** Candidates of a request at most. @default what the flags say, or the policy */
  readonly candidateCount?: number;
}

/** For requests of several methods: the most that any of them needs is loaded, with room for so many at once. */
export async function loadForMethods(
  flags: ModelFlags & Omit<PolicyFlags, 'method'>,
  { methods, concurrency, ...most }: ManyMethods,
  own: Pick<LoadEtaOptions, 'models' | 'onNotice' | 'signal'>,
): Promise<Eta> {
  if (flags.gate !== undefined && !methods.some(takesGate))
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `--gate: expected a method that takes one (${METHODS.filter(takesGate).join(', ')}), received ${methods.join(', ')} alone. Leave it out, or name such a method.`,
    );
  if (flags.release === 'checked' && !methods.some((method) => judgesOwnAnswer(method, flags)))
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `--release: expected a method that judges the model's own answer, received checked beside ${methods.join(', ')} alone. Leave it out, or name such a method.`,
    );
  const decisions = policyOptions({ ...flags, method: coveringMethod(methods) });
  const room = roomFor(concurrency, { ...decisions, ...most });
  return await loadModels({ ...room, ...loadOptions(flags), ...decisions, ...own });
}

/** A vector that is lacking would fail every answer under it. @throws UsageError ERR_INVALID_OPTION */
export function checkVector(methods: readonly Method[], { safetyVector }: ModelFlags): void {
  if (!methods.includes('steered') || safetyVector !== undefined) return;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    "--method: expected --safety-vector beside steered, received none. Make one with 'eta-vlm steer', and name its file.",
  );
}

function judgesOwnAnswer(method: Method, { gate }: Pick<PolicyFlags, 'gate'>): boolean {
  return planOf({ method, gate: takesGate(method) ? (gate ?? null) : null }).gatesAnswer;
}

/** What is being loaded, in words. */
function loadingText({ part, fraction }: LoadProgress): string {
  if (part === 'download') return `fetching the models ... ${Math.round(fraction * 100)} %`;
  const name = {
    'language-model': 'the language model',
    clip: 'CLIP',
    'reward-model': 'the reward model',
    guard: 'the guard',
  }[part];
  return `loading ${name} ... ${Math.round(fraction * 100)} %`;
}
