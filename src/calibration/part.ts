/** One threshold of a calibration, and what it does not rest on. */
import type { CalibrateOptions } from './calibrate-options.js';
import type { Calibrated } from './calibration.js';
import { type ScoredClasses, separated } from './classes.js';
import type { Unread } from './pictures.js';
import { fitClasses } from './safe-fit.js';

export interface Part {
  readonly calibrated: Calibrated;
  readonly leftOut: readonly string[];
  readonly unread: readonly Unread[];
}

/** The threshold of scores, chosen from each content once. */
export async function partOf(
  of: Pick<Calibrated, 'subject' | 'prompt' | 'current'>,
  { classes, hasUnsafe, unread }: ScoredClasses,
  options: Pick<CalibrateOptions, 'rule' | 'signal'> & {
    readonly unsafeIs: 'above' | 'below';
    readonly what: 'pictures' | 'answers';
  },
): Promise<Part> {
  const { rule, signal, unsafeIs, what } = options;
  const { leftOut, ...kept } = separated(classes, what === 'pictures' ? 'picture' : 'answer');
  const current = of.current?.value ?? null;
  const fit = await fitClasses(kept, hasUnsafe, { rule, unsafeIs, current, what, signal });
  return { calibrated: { ...of, fit, ...kept }, leftOut, unread };
}
