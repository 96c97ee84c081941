/** Thresholds of a decision: those of a calibrated file, else those of its form. */
import { stat } from 'node:fs/promises';
import type { DecisionForm } from '../decision/index.js';
import { ModelError } from '../errors.js';
import { type DecisionThresholds, readThresholds } from '../manifest/index.js';
import type { EvaluatorsInForce, GivenThresholds, ThresholdsInForce } from '../policy/index.js';
import type { CalibratedOn } from '../types/thresholds.js';
import { type HashCheck, sha256Of } from '../verified/index.js';
import type { ResolvedDecision } from './decision.js';

/** What the caller says of them. */
interface DecisionThresholdOptions {
  readonly evaluators: EvaluatorsInForce;
  readonly thresholds?: GivenThresholds | undefined;
  /** A file that `eta-vlm calibrate` wrote. */
  readonly thresholdsFile?: string | undefined;
  /** Whether the guard's SHA-256 is held against the file's, and not its size alone. @default true */
  readonly verifyHashes?: HashCheck | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A threshold, where it comes from, and on what it was measured. */
interface Sourced {
  readonly value: number;
  readonly source: string;
  readonly on: CalibratedOn | null;
}

/**
 * The thresholds with those of the decision, for what it judges. What is given as a number is neither looked for nor checked.
 *
 * @throws ModelError ERR_MODEL_MISMATCH for thresholds of another form, another wording or another guard; ERR_MODEL_NOT_FOUND
 * and ERR_MODEL_INVALID for a file that cannot be used; AbortError
 */
export async function withDecision(
  inForce: ThresholdsInForce,
  decision: ResolvedDecision | null,
  options: DecisionThresholdOptions,
): Promise<ThresholdsInForce> {
  if (decision === null) return inForce;
  const { form } = decision;
  const { pictures } = options.evaluators;
  const found = await calibrated(decision, options);
  const { answer: ofAnswer = null, picture: ofPicture = null } = found?.file ?? {};
  const source = found?.path ?? sourceOf(form);
  const answer =
    ofAnswer === null ? ofForm(form, form.answer) : { value: ofAnswer.safeDecision, source, on: ofAnswer.calibratedOn };
  const before =
    pictures !== 'decision' || form.picture === null
      ? null
      : ofPicture === null
        ? ofForm(form, form.picture)
        : { value: ofPicture.unsafeDecision, source, on: ofPicture.calibratedOn };
  const low = ofAnswer?.lowDecision === undefined ? null : { ...answer, value: ofAnswer.lowDecision };
  const put = <Value>(of: (one: Sourced) => Value) => ({
    ...(before && { unsafeDecision: of(before) }),
    safeDecision: of(answer),
    ...(low && { lowDecision: of(low) }),
  });
  return {
    thresholds: { ...inForce.thresholds, ...put(({ value }) => value) },
    thresholdSources: { ...inForce.thresholdSources, ...put(({ source }) => source) },
    calibratedPrompts: { ...inForce.calibratedPrompts, ...put(({ on }) => (on === null ? null : form.wordingSha256)) },
    calibratedOn: { ...inForce.calibratedOn, ...put(({ on }) => on) },
  };
}

/** Even odds, or what its author says: measured is only what a shipped form says was. */
function ofForm(form: DecisionForm, { threshold, isCalibrated }: DecisionForm['answer']): Sourced {
  return { value: threshold, source: sourceOf(form), on: isCalibrated ? 'both' : null };
}

/** A shipped form's, or the file of one's own. */
function sourceOf({ path }: DecisionForm): string {
  return path ?? 'form';
}

/** What the named file holds for this decision; null where it holds nothing that is needed. */
async function calibrated(
  { form, files }: ResolvedDecision,
  { evaluators, thresholds: given, thresholdsFile: path, verifyHashes, signal }: DecisionThresholdOptions,
): Promise<{ readonly path: string; readonly file: DecisionThresholds } | null> {
  if (path === undefined) return null;
  const { decision: file, clip } = await readThresholds(path, 'thresholdsFile');
  if (file === null) {
    if (given?.safeDecision !== undefined || (clip !== null && evaluators.pictures === 'clip')) return null;
    throw new ModelError(
      'ERR_MODEL_MISMATCH',
      `${path}: expected thresholds of the decision ${form.name}, received those of other evaluators alone. ${AGAIN}`,
    );
  }
  const needed = [
    file.answer !== null && given?.safeDecision === undefined,
    file.picture !== null && evaluators.pictures === 'decision' && given?.unsafeDecision === undefined,
  ];
  if (!needed.includes(true)) return null;
  checkForm(path, file, form);
  const { guard, guardProjector } = files ?? { guard: null, guardProjector: null };
  const checks = { verifyHashes, signal };
  await checkFile({ path, what: 'guard', bound: file.guard, used: guard }, checks);
  await checkFile({ path, what: "guard's projector", bound: file.guardProjector, used: guardProjector }, checks);
  return { path, file };
}

/** @throws ModelError ERR_MODEL_MISMATCH */
function checkForm(path: string, { form: bound }: DecisionThresholds, form: DecisionForm): void {
  if (bound.wordingSha256 === form.wordingSha256) return;
  const told = ({ name, wordingSha256 }: DecisionThresholds['form']) => `${name} (${wordingSha256.slice(0, 12)}…)`;
  throw new ModelError(
    'ERR_MODEL_MISMATCH',
    `${path}: expected thresholds of the form ${told(form)}, received those of ${told(bound)}. Other words give other odds: ${AGAIN}`,
  );
}

const AGAIN = "calibrate with 'eta-vlm calibrate --decision', or give the threshold as a number.";

/** A file of a guard that thresholds were found with, and the one in use; null for none. */
interface GuardBond {
  readonly path: string;
  readonly what: string;
  readonly bound: DecisionThresholds['guard'] | null;
  readonly used: string | null;
}

/** @throws ModelError ERR_MODEL_MISMATCH; AbortError */
async function checkFile(
  { path, what, bound, used }: GuardBond,
  { verifyHashes = true, signal }: Pick<DecisionThresholdOptions, 'verifyHashes' | 'signal'>,
): Promise<void> {
  if (bound === null && used === null) return;
  let received = 'none';
  if (bound !== null && used !== null) {
    const { size: sizeBytes } = await stat(used);
    if (sizeBytes === bound.sizeBytes && !verifyHashes) return;
    const sha256 = sizeBytes === bound.sizeBytes ? await sha256Of(used, verifyHashes, signal) : null;
    if (sha256 === bound.sha256) return;
    received = `${used} (${sha256 === null ? `${sizeBytes} bytes` : `${sha256.slice(0, 12)}…`})`;
  } else if (used !== null) received = used;
  const expected =
    bound === null
      ? `no ${what}`
      : `the ${what} ${bound.path} (${bound.sizeBytes} bytes, ${bound.sha256.slice(0, 12)}…)`;
  throw new ModelError(
    'ERR_MODEL_MISMATCH',
    `${path}: expected ${expected}, with which its thresholds were found, received ${received}. The odds of one guard say nothing about another's, quantisations of it included: ${AGAIN}`,
  );
}
