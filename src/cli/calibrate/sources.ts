/** What is calibrated on what: the pictures and answers, and whose scores. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ModelError, UsageError } from '../../errors.js';
import { type ResolvedDecision, resolveDecision } from '../../loading/index.js';
import { clipPlace, resolveModels, SHIPPED_PICTURES } from '../../models/index.js';
import { describe } from '../../options.js';
import { modelChoice } from '../chosen-models.js';
import type { CalibrateFlags } from './flags.js';
import type { Folders, Sources } from './outputs.js';

/** @throws UsageError for options that do not fit together, with the option that is missing */
export async function sourcesOf(flags: CalibrateFlags): Promise<Sources> {
  if (flags.gallery === true) return { pictures: await gallery(), answers: null };
  const { safe, unsafe, safeAnswers, unsafeAnswers } = flags;
  const pictures = classesOf(safe, unsafe, ['--safe', '--unsafe']);
  const answers = classesOf(safeAnswers, unsafeAnswers, ['--safe-answers', '--unsafe-answers']);
  if (pictures !== null || answers !== null) return { pictures, answers };
  throw new UsageError(
    'ERR_INVALID_OPTION',
    'Expected --safe with pictures, or --safe-answers with a file, received none; --unsafe and --unsafe-answers beside them where you have such. Try it with --gallery.',
  );
}

/** Safe ones alone bound how many of them are flagged; unsafe ones alone bound nothing that anybody could bear. */
function classesOf<Value>(
  safe: Value | undefined,
  unsafe: Value | undefined,
  [safeName, unsafeName]: readonly [string, string],
): { safe: Value; unsafe: Value | null } | null {
  if (safe !== undefined) return { safe, unsafe: unsafe ?? null };
  if (unsafe === undefined) return null;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected ${safeName} beside ${unsafeName}, received none. Safe ones alone are enough, unsafe ones alone are not: name safe ones.`,
  );
}

const gallerySchema = z.object({ pictures: z.array(z.object({ file: z.string(), isUnsafe: z.boolean() })) });

async function gallery() {
  const list = join(SHIPPED_PICTURES, 'pictures.json');
  try {
    const { pictures } = gallerySchema.parse(JSON.parse(await readFile(list, 'utf8')));
    const of = (isUnsafe: boolean) =>
      pictures.filter((picture) => picture.isUnsafe === isUnsafe).map(({ file }) => join(SHIPPED_PICTURES, file));
    return { safe: of(false), unsafe: of(true) };
  } catch (cause) {
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected the gallery's list at ${describe(list)}. Install eta-vlm again.`,
      { cause },
    );
  }
}

/** No language model is needed. A guard judges alone where no models are named beside it. */
export async function foldersOf(
  { models, clip, rewardModel }: CalibrateFlags,
  decision: ResolvedDecision | null,
): Promise<Folders> {
  const isNamed = clip !== undefined || rewardModel !== undefined;
  if (isNamed || (decision !== null && models === undefined))
    return { clip: clip === undefined ? null : await clipPlace(clip), rewardModel: rewardModel ?? null };
  return await resolveModels(modelChoice(models) ?? 'miniature');
}

/** @throws UsageError for a guard without a form; what resolving throws */
export async function decisionOf({
  decision,
  guard,
  guardProjector,
  question,
}: CalibrateFlags): Promise<ResolvedDecision | null> {
  if (decision !== undefined) return await resolveDecision({ form: decision, guard, guardProjector });
  const [given] = [guard && '--guard', guardProjector && '--guard-projector', question && '--question'].filter(Boolean);
  if (given === undefined) return null;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected --decision beside ${given}, received none. Name the form in which the guard is asked.`,
  );
}
