/** The safety vector that a caller names, and the context that answers under it. */
import { basename } from 'node:path';
import { z } from 'zod';
import type { Context, ContextOptions, Model } from '../engine/index.js';
import { ModelError } from '../errors.js';
import type { ResolvedModels } from '../models/index.js';
import { describePath } from '../options.js';
import { checkSteering, type Policy } from '../policy/index.js';
import { readVector, type SafetyVector, scaled, vectorHome } from '../steering/index.js';
import { sha256Of } from '../verified/index.js';
import type { ResolvedDecision } from './decision.js';

/** A safety vector, and how much of it is added. */
export interface SafetyVectorChoice {
  /** A file of `eta-vlm steer`, or another control vector of llama.cpp's with one direction, for this language model. */
  path: string;
  /** How many times it is added, above 0 and at most 1000. @default 1 */
  scale?: number | undefined;
}

/** The safety vector that an Eta was loaded with. */
export interface SafetyVectorFacts {
  /** Its file. */
  readonly path: string;
  /** How many times it is added. */
  readonly scale: number;
  /** The layer behind which it is added. */
  readonly layer: number;
  /** SHA-256 of its file. */
  readonly sha256: string;
}

/** With what was read of it. */
export interface ResolvedVector extends SafetyVectorFacts {
  /** As it is added. */
  readonly vector: SafetyVector;
}

/** What is loaded beside it. */
interface SteeredBy extends Pick<ResolvedModels, 'languageModel'> {
  readonly policy: Policy;
  readonly decision: ResolvedDecision | null;
}

const SCALE = 'expected a number above 0 and at most 1000';

export const safetyVectorSchema = z.strictObject(
  {
    path: z.string('expected a path').min(1, 'expected a path'),
    scale: z.number(SCALE).gt(0, SCALE).max(1000, SCALE).optional(),
  },
  'expected { path, scale }',
);

/**
 * Reads it before any weights are.
 *
 * @throws ModelError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID, ERR_MODEL_MISMATCH; UsageError ERR_INVALID_OPTION where none is
 * named though the policy answers under one, or the model would judge itself while it is steered
 */
export async function resolveVector(
  choice: SafetyVectorChoice | undefined,
  { languageModel, policy, decision }: SteeredBy,
): Promise<ResolvedVector | null> {
  const isSelf = decision?.files === null;
  checkSteering(policy, { hasVector: choice !== undefined, isSelf }, 'loadEta options');
  if (choice === undefined) return null;
  const { path, scale = 1 } = choice;
  const vector = await readVector(path, await vectorHome(languageModel));
  return { path, scale, layer: vector.layer, sha256: await sha256Of(path, true), vector: scaled(vector, scale) };
}

export function vectorFacts({ vector: _vector, ...facts }: ResolvedVector): SafetyVectorFacts {
  return facts;
}

/** Which it was, for a report. */
export function vectorText({ path, scale, layer }: SafetyVectorFacts): string {
  return `${basename(path)}, layer ${layer}, ${scale} times`;
}

/**
 * A context like another of the same model, under the vector.
 *
 * @throws ModelError ERR_MODEL_MISMATCH where nothing that the model computes changes with it; what making a context throws
 */
export async function steeredContext(
  model: Model,
  { vector, path, scale }: ResolvedVector,
  like: { readonly context: Context; readonly options: ContextOptions; readonly signal: AbortSignal },
): Promise<Context> {
  const { layer, values } = vector;
  const steered = await model.createContext({ ...like.options, steering: { layer, vector: values } });
  try {
    const token = model.facts.beginToken ?? 0;
    const [plain, changed] = [
      await logitsOf(like.context, token, like.signal),
      await logitsOf(steered, token, like.signal),
    ];
    if (changed.every(Number.isFinite) && changed.some((logit, at) => logit !== plain[at])) return steered;
    throw new ModelError(
      'ERR_MODEL_MISMATCH',
      `Expected the safety vector in ${describePath(path)} (scale ${scale}) to change what the model computes, received ${changed.every(Number.isFinite) ? `the same numbers: llama.cpp adds no control vector to models of architecture '${model.facts.architecture}', or the scale is too small` : 'numbers that are not finite: the scale is too large'}. Name another scale, or load without safetyVector.`,
    );
  } catch (error) {
    await steered.dispose().catch(() => undefined); // the first failure is the one to tell
    throw error;
  }
}

async function logitsOf(context: Context, token: number, signal: AbortSignal): Promise<Float32Array> {
  await using lease = await context.reserve({ cellCount: 1, sequenceCount: 1 }, signal);
  const sequence = await lease.createSequence();
  await sequence.prefill([Int32Array.of(token)], { signal });
  return await sequence.logits({ signal });
}
