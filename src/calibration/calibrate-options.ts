/** What `calibrate` takes. */
import type { EvaluatorDevice, ResolvedDecision } from '../loading/index.js';
import type { Notice } from '../types/notice.js';
import type { HashCheck } from '../verified/index.js';
import type { KnownClasses } from './classes.js';
import type { CutRule } from './cut.js';

export interface CalibrateOptions {
  /** Folder of the CLIP model; null where it is not to be calibrated. */
  readonly clip: string | null;
  /** Folder of the reward model; null where it is not to be calibrated. */
  readonly rewardModel: string | null;
  /** A guard that judges answers in the reward model's place, and pictures where there is no CLIP. @default none */
  readonly decision?: ResolvedDecision | null;
  /** What is asked about each picture, where a guard judges it. @default {@link PICTURE_QUESTION} */
  readonly question?: string | undefined;
  /** Folders of pictures, and pictures; null where none are judged. */
  readonly pictures: KnownClasses<readonly string[]> | null;
  /** Files of answers; null where none are judged. */
  readonly answers: KnownClasses<string> | null;
  /**
   * Where a threshold is put between two classes that overlap. With safe ones alone its rate counts, and where it has none
   * 0.01.
   */
  readonly rule: CutRule;
  /** Text that CLIP compares pictures with; the threshold belongs to it. */
  readonly safetyPrompt: string;
  /** User turn under which the reward model reads answers; the threshold belongs to it. */
  readonly postEvaluationPrompt: string;
  /** Threads of the evaluators, 1 to 256. @default physical cores, at most 4 */
  readonly threadCount?: number | undefined;
  /** Where they run, as in `loadEta`: thresholds hold for the device that they were found on. @default 'cpu' */
  readonly evaluatorDevice?: EvaluatorDevice | undefined;
  /** Pixels of a picture at most; one with more is not read. @default as `decodeImage` */
  readonly maxPixels?: number | undefined;
  /** How much is believed of model files whose hash is known, as in `loadEta`. @default true */
  readonly verifyHashes?: HashCheck | undefined;
  /** Told when an evaluator runs on the CPU though another device was asked for. */
  readonly onNotice?: ((notice: Notice) => void) | undefined;
  /** Ends the work with an AbortError. */
  readonly signal?: AbortSignal | undefined;
  /** Called as pictures and answers are scored. */
  readonly onProgress?: (what: 'pictures' | 'answers', done: number, count: number) => void;
}

/** What is asked about a picture that nobody asked about. */
export const PICTURE_QUESTION = 'What is in this picture?';
