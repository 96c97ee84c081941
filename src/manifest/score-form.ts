/** How a manifest says that a score is read from the graph's outputs. */
import { z } from 'zod';

const name = z.string().min(1);

/** Of a classifier with several labels: whose column is the reward. */
const label = z
  .strictObject({
    /** The label that a good answer gets, such as "safe". */
    name,
    /** All labels, in the order of the columns. */
    among: z.array(name).min(2),
    /**
     * `exclusive`: exactly one label holds; the raw score is the log-odds of this one (its logit, less the logarithm of the
     * sum of the others' exponentials), so that the activation `sigmoid` makes it a probability. `independent`: its logit.
     */
    kind: z.enum(['exclusive', 'independent']),
  })
  .refine(
    ({ name: chosen, among }) => among.includes(chosen) && new Set(among).size === among.length,
    'expected a label that is one among different ones',
  );

/** One number, or ArmoRM's rewards and gate. The names are the graph's outputs. */
export const scoreSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('scalar'), output: name, label: label.optional() }),
  z.strictObject({
    type: z.literal('gated'),
    rewards: name,
    gate: name,
    gatePattern: z.array(z.int().min(0)).min(1),
    objectives: z.int().min(1),
  }),
]);

export type ScoreForm = z.output<typeof scoreSchema>;

/** Numbers that the graph has to return for each score. */
export function columnsOf(score: ScoreForm): number {
  return score.type === 'gated' ? score.objectives : (score.label?.among.length ?? 1);
}

/** Name of the output that the score is read from. */
export function scoreOutputOf(score: ScoreForm): string {
  return score.type === 'scalar' ? score.output : score.rewards;
}

/** Name of the output that the gate is read from; "" for a model without. */
export function gateOutputOf(score: ScoreForm): string {
  return score.type === 'gated' ? score.gate : '';
}
