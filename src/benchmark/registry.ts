/** The benchmarks by name. */
import { UsageError } from '../errors.js';
import { didYouMean } from '../near-miss.js';
import { describe } from '../options.js';
import { advbench } from './advbench.js';
import { crossModality } from './cross-modality.js';
import { csv } from './csv.js';
import type { Dataset } from './dataset.js';
import { figstep } from './figstep.js';
import { holisafe } from './holisafe.js';
import { jsonl } from './jsonl.js';
import { miniature } from './miniature.js';
import { mmSafetyBench } from './mm-safetybench.js';
import { mmSafetyBenchTwins } from './mm-safetybench-twins.js';
import { mmbench } from './mmbench.js';
import { pope } from './pope.js';
import { scienceqa } from './scienceqa.js';
import { siuo } from './siuo.js';
import { spaVlHarm, spaVlHelp } from './spa-vl.js';
import { textvqa } from './textvqa.js';
import { vlsbench } from './vlsbench.js';
import { xstest } from './xstest.js';

export const DATASETS: readonly Dataset[] = [
  spaVlHarm,
  spaVlHelp,
  mmSafetyBench,
  figstep,
  advbench,
  crossModality,
  siuo,
  vlsbench,
  holisafe,
  mmSafetyBenchTwins,
  xstest,
  scienceqa,
  textvqa,
  pope,
  mmbench,
  miniature,
  jsonl,
  csv,
];

/** @throws UsageError ERR_INVALID_OPTION with the known names */
export function datasetOf(name: string): Dataset {
  const names = DATASETS.map((dataset) => dataset.name);
  const found = DATASETS.find((dataset) => dataset.name === name);
  if (found !== undefined) return found;
  const hint = didYouMean(name, names);
  throw new UsageError('ERR_INVALID_OPTION', `Expected the name of a benchmark, received ${describe(name)}. ${hint}`);
}
