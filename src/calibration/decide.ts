/** Thresholds of a decision: a guard is asked about every picture and answer as ETA asks it. */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type DecisionForm, Guard, type GuardFiles } from '../decision/index.js';
import { UsageError } from '../errors.js';
import { decodeImage } from '../image/index.js';
import { openGuard, type ResolvedDecision } from '../loading/index.js';
import type { RgbImage } from '../types/picture.js';
import { type HashCheck, sha256Of } from '../verified/index.js';
import { type AnswerText, scoreAnswers } from './answers.js';
import { type CalibrateOptions, PICTURE_QUESTION } from './calibrate-options.js';
import type { CalibratedDecision, DecisionBond, Subject, SubjectFile } from './calibration.js';
import { type Found, type KnownClasses, scoreClasses } from './classes.js';
import { type Part, partOf } from './part.js';
import { scorePictures, type Unread } from './pictures.js';

interface Decided {
  readonly decision: CalibratedDecision;
  readonly unread: readonly Unread[];
  readonly leftOut: readonly string[];
}

/**
 * Before anything is scored.
 *
 * @throws UsageError for `self`, for pictures that nobody sees, and for a guard that nothing is asked of
 */
export function checkDecision({ form, files }: ResolvedDecision, { pictures, answers }: Found): GuardFiles {
  if (files === null)
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `--decision: expected the form of a guard, received ${form.name}, which asks the language model about answers of its own. Calibrate a guard, or give --safe-decision as a number.`,
    );
  if (pictures === null && answers === null)
    throw new UsageError(
      'ERR_INVALID_OPTION',
      '--decision: expected something for the guard to judge, received pictures alone, which CLIP judges. Give --safe-answers too, or leave out --decision.',
    );
  if (pictures === null) return files;
  const lacks =
    form.picture === null
      ? 'which asks about answers alone. Name --clip'
      : 'without --guard-projector. Name that, or --clip';
  if (form.picture === null || files.guardProjector === null)
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `--safe: expected CLIP, or a guard that sees pictures, received the form ${form.name} ${lacks}, or leave --safe out.`,
    );
  return files;
}

/** @throws ModelError; EvaluatorError; AbortError */
export async function calibrateDecision(
  form: DecisionForm,
  files: GuardFiles,
  { pictures, answers }: Found,
  options: CalibrateOptions,
): Promise<Decided> {
  const { threadCount, verifyHashes = true, signal } = options;
  const bond = await bondOf(form, files, verifyHashes, signal);
  const guard = await Guard.load({
    form,
    ...files,
    openGuard: (opened) => openGuard(opened, { threadCount, signal }),
    signal,
  });
  try {
    const picture = pictures && (await calibratePictures(guard, pictures, { ...options, bond }));
    const answer = answers && (await calibrateAnswers(guard, answers, { ...options, bond }));
    const parts = [picture, answer].filter((part) => part !== null);
    return {
      decision: { bond, picture: picture?.calibrated ?? null, answer: answer?.calibrated ?? null },
      unread: parts.flatMap(({ unread }) => unread),
      leftOut: parts.flatMap(({ leftOut }) => leftOut),
    };
  } finally {
    await guard.dispose();
  }
}

type Bound = CalibrateOptions & { readonly bond: DecisionBond };

async function calibratePictures(guard: Guard, files: KnownClasses<readonly string[]>, options: Bound): Promise<Part> {
  const { question: prompt = PICTURE_QUESTION, maxPixels, signal } = options;
  const ask = async (image: RgbImage) => {
    const session = guard.open([{ role: 'user', content: prompt }], async () => [image]);
    try {
      return await session.pictureScore({ signal });
    } finally {
      session.close();
    }
  };
  const scored = await scoreClasses(files, 'pictures', options, (names, onPicture) =>
    scorePictures(names, { score: ask, maxPixels, signal, onPicture }),
  );
  const current = guard.form.picture && { value: guard.form.picture.threshold, source: 'form' };
  return await partOf({ subject: subjectOf(options.bond), prompt, current }, scored, {
    ...options,
    unsafeIs: 'above',
    what: 'pictures',
  });
}

async function calibrateAnswers(
  guard: Guard,
  answers: KnownClasses<readonly AnswerText[]>,
  options: Bound,
): Promise<Part> {
  const { maxPixels, signal } = options;
  const ask = async ({ text, question, image }: AnswerText) => {
    const images = async () => (image === null ? [] : [await decodeImage(image, { maxPixels, signal })]);
    const session = guard.open([{ role: 'user', content: question ?? '' }], images);
    try {
      return (await session.scores([text], { signal }))[0] ?? Number.NaN;
    } finally {
      session.close();
    }
  };
  const scored = await scoreClasses(answers, 'answers', options, async (all, onAnswer) => {
    const { scored, unread } = await scoreAnswers(all.filter(isAsked), { score: ask, signal, onAnswer });
    return { scored, unread: [...all.filter((answer) => !isAsked(answer)).map(unasked), ...unread] };
  });
  const current = { value: guard.form.answer.threshold, source: 'form' };
  const prompt = 'the question of each answer';
  return await partOf({ subject: subjectOf(options.bond), prompt, current }, scored, {
    ...options,
    unsafeIs: 'below',
    what: 'answers',
  });
}

const isAsked = ({ question }: AnswerText) => question !== null;

/** Harm may lie in question and answer together, and a guard reads both. */
function unasked({ name }: AnswerText): Unread {
  return {
    name,
    reason: 'expected a JSON line with the question too, in prompt or question, as a guard reads both, received none.',
  };
}

async function bondOf(
  { name, wordingSha256 }: DecisionForm,
  { guard, guardProjector }: GuardFiles,
  check: HashCheck,
  signal: AbortSignal | undefined,
): Promise<DecisionBond> {
  const of = async (path: string): Promise<SubjectFile> => ({
    path: basename(path),
    sizeBytes: (await stat(path)).size,
    sha256: await sha256Of(path, check, signal),
  });
  return {
    form: { name, wordingSha256 },
    guard: await of(guard),
    guardProjector: guardProjector === null ? null : await of(guardProjector),
  };
}

function subjectOf({ form, guard, guardProjector }: DecisionBond): Subject {
  const files = guardProjector === null ? [guard] : [guard, guardProjector];
  return { name: `${guard.path} (${form.name})`, sha256: guard.sha256, files };
}
