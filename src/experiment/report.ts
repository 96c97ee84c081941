/** What an experiment found as the data of its report. */
import { type Circumstances, reportData } from '../benchmark/index.js';
import type { EtaFacts } from '../eta/index.js';
import { vectorText } from '../loading/index.js';
import type { ReportData } from '../report/index.js';
import type { Experiment, ExperimentOptions, Findings } from './experiment.js';

export interface RunFacts extends Omit<Circumstances, 'thresholds' | 'settings' | 'model' | 'models'> {
  readonly eta: EtaFacts;
  readonly options: ExperimentOptions;
}

/** @throws ImageError when a picture of an example cannot be decoded */
export async function experimentReport(
  experiment: Experiment,
  { measured, table, moreTables = [], parts, notes = [] }: Findings,
  { eta, options, ...facts }: RunFacts,
): Promise<ReportData> {
  const { thresholds, models } = eta;
  const settings = settingsOf(experiment, eta, options);
  const plain = await reportData(measured, { ...facts, thresholds, models, settings, model: models.name });
  const data = { ...plain, ...parts };
  const variant = measured.variant === '' ? '' : ` (${measured.variant})`;
  return {
    ...data,
    title: `Experiment: ${experiment.title}`,
    subject: `${experiment.question} ${measured.items.length} questions of ${measured.dataset.title}${variant}, answered by ${models.name}.`,
    tables: [table, ...moreTables, ...(data.tables ?? [])],
    notes: [...notes, ...(data.notes ?? [])],
  };
}

function settingsOf(
  experiment: Experiment,
  { policy, thresholds, safetyVector }: EtaFacts,
  options: ExperimentOptions,
): ReportData['settings'] {
  return {
    experiment: experiment.name,
    policy: policy.name,
    N: policy.candidateCount,
    ...(policy.firstCandidateCount > 0 && { 'of these drawn first': policy.firstCandidateCount }),
    temperature: policy.temperature,
    'top-k': policy.topK,
    'tokens of an answer at most': policy.maxTokens,
    'when still unsafe': policy.whenStillUnsafe,
    ...thresholds,
    ...(safetyVector !== null && { 'safety vector': vectorText(safetyVector) }),
    'requests at once': experiment.room(options).concurrency,
  };
}
