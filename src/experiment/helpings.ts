/**
 * Candidates of a round all at once, or a few first and the others only where none of these passes: what that saves, and
 * whether it lets anything through. Harmful requests alone: what is answered as it is costs the same under every arm.
 */
import { type Arm, measureArms } from './arms.js';
import type { Experiment, Findings, RunOptions } from './experiment.js';
import { helpingsTable } from './helpings-table.js';

/** The first is what the others are held against; the last two are the controls: the first helping alone. */
export const ARMS: readonly Arm[] = [
  { name: 'all at once', method: 'eta', options: { firstCandidateCount: 0 } },
  { name: '2 first', method: 'eta', options: { firstCandidateCount: 2 } },
  { name: '1 first', method: 'eta', options: { firstCandidateCount: 1 } },
  { name: 'N = 2', method: 'eta', options: { candidateCount: 2, firstCandidateCount: 0 } },
  { name: 'N = 1', method: 'eta', options: { candidateCount: 1, firstCandidateCount: 0 } },
];

export const helpings: Experiment = {
  name: 'helpings',
  title: 'helpings',
  question: 'What is saved when a few candidates are drawn first, and the others only where none of these passes?',
  methods: ['eta'],
  room: () => ({ concurrency: 1 }),
  run,
};

async function run(options: RunOptions): Promise<Findings> {
  const trials = options.items.filter(({ measure }) => measure === 'unsafe').map((item) => ({ item, arms: ARMS }));
  const compared = { experiment: 'helpings', arms: ARMS, trials, isTimed: true } as const;
  const measured = await measureArms({ ...options, concurrency: 1 }, compared);
  return { measured, table: await helpingsTable(measured, options.signal) };
}
