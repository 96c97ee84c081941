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

/** An arm that lacks its threshold, or its safety vector, would answer nothing; it is left out, and that is said. */
function knownArms(arms: readonly Arm[], { eta }: RunOptions): { known: Arm[]; notes: string[] } {
  const { evaluators, thresholds, safetyVector, decision } = eta.facts;
  const low = LOW_OF_ANSWERS[evaluators.answers ?? 'reward'];
  const needsLow: Gate = 'lowAnswerOrBoth';
  const isSelf = decision !== null && decision.guard === null;
  const lacks: readonly (readonly [isLacking: (arm: Arm) => boolean, note: string])[] = [
    [
      ({ options }) => options?.gate === needsLow && thresholds[low] === undefined,
      `The gate ${needsLow} was left out: it needs a low threshold of answers, which nobody has looked for. Find one with 'eta-vlm calibrate', or give thresholds.${low}.`,
    ],
    [
      ({ method }) => method === 'steered' && safetyVector === null,
      "The arm steered was left out: it needs a safety vector. Make one with 'eta-vlm steer', and name it with --safety-vector.",
    ],
    [
      ({ method }) => method === 'steered' && safetyVector !== null && isSelf,
      'The arm steered was left out: the language model would judge its own answer while it is steered.',
    ],
  ];
  const isLacking = (arm: Arm) => lacks.some(([is]) => is(arm));
  return {
    known: arms.filter((arm) => !isLacking(arm)),
    notes: lacks.filter(([is]) => arms.some(is)).map(([, note]) => note),
  };
}
