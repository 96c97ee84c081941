/** What a chat has loaded, part by part, with the thresholds that hold in it. */
import type { EtaFacts } from '../../index.js';
import { fitLine } from '../../terminal/fit.js';
import { visibleName } from '../../visible.js';
import { type Part, type PartFacts, partFacts, shown } from '../model-facts.js';
import { LABEL_WIDTH, partLines } from '../models/list.js';
import type { Form } from './session.js';

/** @throws ModelError for a file that is gone by now */
export async function loadedLines(facts: EtaFacts, { paint, columns }: Form): Promise<string[]> {
  const { models, policy, contextSize } = facts;
  const { languageModel, projector, clip, rewardModel } = models;
  const paths = { 'language-model': languageModel, projector, clip, 'reward-model': rewardModel };
  const lines = [paint('bold', visibleName(models.name))];
  for (const [kind, path] of Object.entries(paths) as [Part['kind'], string | null][]) {
    if (path !== null) lines.push(...partLines(inForce(await partFacts({ kind, path }), facts), paint));
  }
  lines.push(...decisionLines(facts));
  lines.push(...vectorLines(facts));
  lines.push(`${'  context'.padEnd(LABEL_WIDTH + 2)}${contextSize} tokens`);
  lines.push(`${'  policy'.padEnd(LABEL_WIDTH + 2)}${policy.name}`);
  return lines.flatMap((line) => fitLine(line, columns, LABEL_WIDTH + 2));
}

/** Who decides in the reward model's place. */
function decisionLines({ decision, thresholds, thresholdSources }: EtaFacts): string[] {
  if (decision === null) return [];
  const rest = ' '.repeat(LABEL_WIDTH + 2);
  const { form, title, guard, guardProjector } = decision;
  const files = [guard, guardProjector].filter((path) => path !== null).map((path) => `${rest}${shown(path)}`);
  const rule = `${rest}safe above ${thresholds.safeDecision} (${thresholdSources.safeDecision})`;
  return [`${'  decision'.padEnd(LABEL_WIDTH + 2)}${visibleName(`${form}, ${title}`)}`, ...files, rule];
}

/** What the method `steered` answers under. */
function vectorLines({ safetyVector }: EtaFacts): string[] {
  if (safetyVector === null) return [];
  const { path, layer, scale } = safetyVector;
  return [`${'  vector'.padEnd(LABEL_WIDTH + 2)}${shown(path)} (layer ${layer}, ${scale} times)`];
}

/** With the threshold that answers are held against, wherever it comes from. */
function inForce(part: PartFacts, { thresholds, thresholdSources, calibratedOn }: EtaFacts): PartFacts {
  if (part.threshold === null) return part;
  const { field } = part.threshold;
  const source = thresholdSources[field];
  return { ...part, threshold: { field, value: thresholds[field], source, calibratedOn: calibratedOn[field] } };
}
