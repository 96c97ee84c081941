/**
 * Thresholds that `eta-vlm calibrate` found, in a file of their own: beside a model that may not be written to, or in the
 * model's folder, where they take the place of the manifest's. A score of one model says nothing about another's, so
 * each threshold is bound to the model and to the prompt that it was found with.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../errors.js';
import { issueOf, parsedJson, sorted } from '../json.js';
import { describe, describePath } from '../options.js';
import { readRegularText, whyUnread } from '../regular-file.js';
import type { ClipManifest, RewardManifest } from './manifest.js';

/** Its name in a model's folder. */
export const THRESHOLDS_FILE = 'thresholds.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits');
const boundTo = z.strictObject({
  name: z.string().min(1),
  /** {@link modelDigest} */
  sha256,
});
/** How a threshold was found. */
const found = {
  /** Which classes it was measured on; files of earlier versions had both. */
  calibratedOn: z.enum(['both', 'safe']).default('both'),
  /** Free in form. */
  calibration: z.record(z.string(), z.unknown()),
};

const guardFile = z.strictObject({
  /** Its name, for messages. */
  path: z.string().min(1),
  sizeBytes: z.int().min(0),
  sha256,
});

/** Of a guard: bound to its files and to every word of its form. */
const decision = z.strictObject({
  form: z.strictObject({ name: z.string().min(1), wordingSha256: sha256 }),
  guard: guardFile,
  /** Null: it saw no pictures. */
  guardProjector: guardFile.nullable(),
  /** An answer whose decision is above `safeDecision` is safe; above `lowDecision`, where nothing shown is distrusted. */
  answer: z.strictObject({ safeDecision: z.number(), lowDecision: z.number().optional(), ...found }).nullable(),
  /** Pictures whose decision is at least `unsafeDecision` are unsafe; they were asked about with `question`. */
  picture: z.strictObject({ unsafeDecision: z.number(), question: z.string().min(1), ...found }).nullable(),
});

const thresholdsFileSchema = z.strictObject({
  format: z.literal('eta-vlm/thresholds'),
  version: z.literal(1),
  clip: z
    .strictObject({
      model: boundTo,
      safetyPrompt: z.string().min(1),
      /** A picture whose CLIP score is at least this is unsafe; a cosine. */
      unsafeClipScore: z.number().min(-1).max(1),
      ...found,
    })
    .nullable(),
  rewardModel: z
    .strictObject({
      model: boundTo,
      postEvaluationPrompt: z.string().min(1),
      /** An answer whose reward is above this is safe. */
      safeReward: z.number(),
      /** The same for the gate `lowAnswerOrBoth`, where nothing shown is distrusted; at most `safeReward`. */
      lowReward: z.number().optional(),
      ...found,
    })
    .nullable(),
  decision: decision.nullable().default(null),
});

export type ThresholdsFile = z.output<typeof thresholdsFileSchema>;
export type DecisionThresholds = z.output<typeof decision>;

/** Fields of a manifest that no score depends on. */
const NOT_DECIDING = ['name', 'unsafeClipScore', 'safeReward', 'calibration', 'precision', 'selfTest'];

/**
 * What a threshold is bound to: a SHA-256 over everything in the manifest that scores depend on (the SHA-256 of every
 * file, how pictures and texts are prepared, how the score is read), names, thresholds and self-tests left out.
 */
export function modelDigest(manifest: ClipManifest | RewardManifest): string {
  const deciding = Object.entries(manifest).filter(([field]) => !NOT_DECIDING.includes(field));
  return createHash('sha256')
    .update(JSON.stringify(sorted(Object.fromEntries(deciding))))
    .digest('hex');
}

/**
 * @param option what the message calls the option that names it; none for one that was found
 * @throws ModelError ERR_MODEL_NOT_FOUND when it cannot be read, ERR_MODEL_INVALID when it holds something else
 */
export async function readThresholds(path: string, option?: string): Promise<ThresholdsFile> {
  const subject = option === undefined ? '' : `${option}: `;
  let text: string;
  try {
    text = await readRegularText(path);
  } catch (cause) {
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `${subject}${subject === '' ? 'E' : 'e'}xpected thresholds at ${describePath(path)}, but the file cannot be read (${whyUnread(cause)}). Name a file that 'eta-vlm calibrate' wrote.`,
      { cause },
    );
  }
  const value = parsedJson(text);
  const parsed = thresholdsFileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = value === undefined ? `received ${describe(text.trim())}, which is no JSON` : issueOf(parsed.error);
  throw new ModelError(
    'ERR_MODEL_INVALID',
    `${subject}${path}: expected thresholds of 'eta-vlm calibrate'; ${issue}. Calibrate again.`,
  );
}

/** Those that lie in a model's folder; null where there are none. */
export async function installedThresholds(folder: string): Promise<{ path: string; file: ThresholdsFile } | null> {
  const path = join(folder, THRESHOLDS_FILE);
  try {
    return { path, file: await readThresholds(path) };
  } catch (error) {
    if (error instanceof ModelError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT')
      return null;
    throw error;
  }
}

/** What a threshold of a file was found with, and what it is to be used with. */
interface Bond {
  /** Such as "CLIP model". */
  readonly what: string;
  /** Such as "a CLIP score". */
  readonly score: string;
  readonly path: string;
  readonly bound: { readonly name: string; readonly sha256: string };
  readonly manifest: ClipManifest | RewardManifest;
  /** How it is called, the prompt it was found with, and the one in use. */
  readonly prompt: { readonly name: string; readonly bound: string; readonly used: string };
}

/** @throws ModelError ERR_MODEL_MISMATCH for another model, or another prompt */
export function checkBond({ what, score, path, bound, manifest, prompt }: Bond): void {
  const digest = modelDigest(manifest);
  if (digest !== bound.sha256) {
    throw new ModelError(
      'ERR_MODEL_MISMATCH',
      `${path}: expected thresholds of the ${what} ${manifest.name} (${digest.slice(0, 12)}…), received those of ${bound.name} (${bound.sha256.slice(0, 12)}…). ` +
        `${score} of one model says nothing about another's, quantisations of it included: calibrate this one with 'eta-vlm calibrate', or take that file away.`,
    );
  }
  if (prompt.used === prompt.bound) return;
  throw new ModelError(
    'ERR_MODEL_MISMATCH',
    `${path}: expected thresholds for the ${prompt.name} in use, ${describe(prompt.used)}, received those for ${describe(prompt.bound)}. ` +
      'Another prompt gives other scores: calibrate with it, or give the threshold as a number.',
  );
}
