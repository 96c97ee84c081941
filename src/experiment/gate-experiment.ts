/** An experiment that asks every item under every arm, each with a gate, a ladder or a way of its own. */
import { CONCURRENCY } from '../batch/index.js';
import { LOW_OF_ANSWERS } from '../policy/index.js';
import type { Gate } from '../types/policy.js';
import { type Arm, measureArms } from './arms.js';
import type { Experiment, RunOptions } from './experiment.js';
import { type GateQuestion, gateTable } from './gate-table.js';

/** What tells one from the other. */
interface GateArms extends GateQuestion, Pick<Experiment, 'name'> {
  readonly arms: readonly Arm[];
}

export function gateExperiment({ arms, isTimed = false, ...named }: GateArms): Experiment {
  return {
    ...named,
    methods: [...new Set(arms.map(({ method }) => method))],
    room: ({ concurrency = CONCURRENCY }) => ({ concurrency: isTimed ? 1 : concurrency }),
    run: async (asked) => {
      const options = isTimed ? { ...asked, concurrency: 1 } : asked;
      const { known, notes } = knownArms(arms, options);
      const trials = options.items.map((item) => ({ item, arms: known }));
      const measured = await measureArms(options, { experiment: named.name, arms: known, trials, isTimed });
      return { measured, table: gateTable(measured, { ...named, isTimed }), notes };
    },
  };
}

/** An arm whose threshold nobody knows would answer nothing; it is left out, and that is said. */
function knownArms(arms: readonly Arm[], { eta }: RunOptions): { known: Arm[]; notes: string[] } {
  const { evaluators, thresholds } = eta.facts;
  const low = LOW_OF_ANSWERS[evaluators.answers ?? 'reward'];
  const needsLow: Gate = 'lowAnswerOrBoth';
  const known = arms.filter(({ options }) => options?.gate !== needsLow || thresholds[low] !== undefined);
  const isWhole = known.length === arms.length;
  return {
    known,
    notes: isWhole
      ? []
      : [
          `The gate ${needsLow} was left out: it needs a low threshold of answers, which nobody has looked for. Find one with 'eta-vlm calibrate', or give thresholds.${low}.`,
        ],
  };
}
