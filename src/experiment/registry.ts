/** The experiments by name. */
import { UsageError } from '../errors.js';
import { didYouMean } from '../near-miss.js';
import { describe } from '../options.js';
import { ablation, baseline, deep, post, pre, shallow } from './comparisons.js';
import { endurance } from './endurance.js';
import type { Experiment } from './experiment.js';
import { alternatives, gates, ladder, policies } from './gates.js';
import { helpings } from './helpings.js';
import { EXPERIMENT_NAMES, type ExperimentName } from './names.js';
import { overhead } from './overhead.js';
import { robustness } from './robustness.js';

export const EXPERIMENTS = {
  baseline,
  pre,
  post,
  shallow,
  deep,
  ablation,
  gates,
  policies,
  ladder,
  alternatives,
  helpings,
  overhead,
  endurance,
  robustness,
} satisfies Record<ExperimentName, Experiment>;

/** @throws UsageError ERR_INVALID_OPTION with the known names */
export function experimentOf(name: string | undefined): Experiment {
  const found = EXPERIMENT_NAMES.find((known) => known === name);
  if (found !== undefined) return EXPERIMENTS[found];
  const hint = didYouMean(name ?? '', EXPERIMENT_NAMES);
  const received = name === undefined ? 'none' : describe(name);
  throw new UsageError('ERR_INVALID_OPTION', `Expected the name of an experiment, received ${received}. ${hint}`);
}
