/** What an Eta was loaded as. */
import type { DecisionFacts, EvaluatorDevices, LoadEtaOptions, SafetyVectorFacts } from '../loading/index.js';
import type { ResolvedModels } from '../models/index.js';
import type { EvaluatorsInForce, Policy, ThresholdsInForce } from '../policy/index.js';
import type { ConversationForm } from '../types/turn.js';

/** What an Eta was loaded as. */
export interface EtaFacts extends ThresholdsInForce {
  /** What decides, thresholds apart: the policy, with the options that were named in their place. */
  readonly policy: Policy;
  /** Which files answer. */
  readonly models: ResolvedModels;
  /** Who judges answers in the reward model's place; null where none was named. */
  readonly decision: DecisionFacts | null;
  /** What the method `steered` answers under; null where none was named. */
  readonly safetyVector: SafetyVectorFacts | null;
  /** Who judges. */
  readonly evaluators: EvaluatorsInForce;
  /** How conversations are written: `llava_v1` only where that is another form than the file's. */
  readonly conversationForm: ConversationForm;
  /** KV cells of the context, as they were asked for; llama.cpp rounds them up to a multiple of 256. */
  readonly contextSize: number;
  /** Number format of the KV cells. */
  readonly cacheType: 'f32' | 'f16' | 'q8_0';
  /** Whether requests leave what they read for later ones. */
  readonly reuse: boolean;
  /** Whether requests run alone. */
  readonly exact: boolean;
  /** How much was believed of model files whose hash is known: as in `LoadEtaOptions`. */
  readonly verifyHashes: NonNullable<LoadEtaOptions['verifyHashes']>;
  /** Where the evaluators run, as they were loaded last; null for one that nobody has asked yet. */
  readonly evaluatorDevices: EvaluatorDevices;
}

/** A copy that nobody changes: every request falls back to it. */
export function frozen(facts: EtaFacts): EtaFacts {
  const copy = structuredClone(facts);
  for (const part of Object.values(copy)) Object.freeze(part);
  return Object.freeze(copy);
}
