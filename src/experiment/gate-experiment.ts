/** An experiment that asks every item under every arm, each with a gate, a ladder or a way of its own. */
import { CONCURRENCY } from '../batch/index.js';
import { type Arm, measureArms } from './arms.js';
import type { Experiment } from './experiment.js';
import { type GateQuestion, gateTable } from './gate-table.js';
import { knownArms } from './known-arms.js';

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
