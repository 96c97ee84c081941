/** What a calibration found: a threshold for each kind of score, with everything that it rests on. */
import type { Fit, Scored } from './fit.js';
import type { Unread } from './pictures.js';

/** Whose scores they are, as the threshold is bound to it. */
export interface Subject {
  readonly name: string;
  /** SHA-256 over all that its scores depend on. */
  readonly sha256: string;
  readonly files: readonly SubjectFile[];
}

/** A file of the model. */
export interface SubjectFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** One threshold with everything it rests on. */
export interface Calibrated {
  readonly subject: Subject;
  /** What the scores were asked for with: a prompt, or a question. */
  readonly prompt: string;
  readonly fit: Fit;
  readonly safe: readonly Scored[];
  readonly unsafe: readonly Scored[];
  /** The threshold in force, and where it comes from. */
  readonly current: { readonly value: number; readonly source: string } | null;
}

/** The guard that decided, and how it was asked. */
export interface DecisionBond {
  readonly form: { readonly name: string; readonly wordingSha256: string };
  readonly guard: SubjectFile;
  /** Null for one that saw no pictures. */
  readonly guardProjector: SubjectFile | null;
}

/** Thresholds of a decision. */
export interface CalibratedDecision {
  readonly bond: DecisionBond;
  readonly answer: Calibrated | null;
  readonly picture: Calibrated | null;
}

export interface Calibration {
  readonly clip: Calibrated | null;
  readonly rewardModel: Calibrated | null;
  readonly decision: CalibratedDecision | null;
  /** Files and lines without a score. */
  readonly unread: readonly Unread[];
  /** Of both classes, or there twice: what was left out, one sentence each. */
  readonly leftOut: readonly string[];
}

/** A threshold of a calibration, and what its figures are called. */
export interface CalibratedPart {
  readonly calibrated: Calibrated;
  /** Such as "CLIP score". */
  readonly score: string;
  /** On which side of the threshold is what. */
  readonly threshold: 'unsafe from' | 'safe above';
  /** Name and unit of the axis. */
  readonly axis: string;
  readonly what: 'pictures' | 'answers';
}

/** Whatever was calibrated, in the order in which it is told. */
export function calibratedParts({ clip, rewardModel, decision }: Calibration): CalibratedPart[] {
  const odds = 'decision (log-odds, or the share of the good verdicts)';
  const pictures = { threshold: 'unsafe from', what: 'pictures' } as const;
  const answers = { threshold: 'safe above', what: 'answers' } as const;
  const all = [
    { calibrated: clip, score: 'CLIP score', axis: 'CLIP score (cosine)', ...pictures },
    { calibrated: rewardModel, score: 'reward', axis: 'reward', ...answers },
    { calibrated: decision?.picture ?? null, score: 'decision about pictures', axis: odds, ...pictures },
    { calibrated: decision?.answer ?? null, score: 'decision about answers', axis: odds, ...answers },
  ];
  return all.flatMap(({ calibrated, ...names }) => (calibrated === null ? [] : [{ calibrated, ...names }]));
}
