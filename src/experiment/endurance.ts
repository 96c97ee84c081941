/** Many requests one after the other, of every kind in turn: whether safety, refusals or times drift on the way. */
import { hasAnswers, SEEDS } from '../benchmark/index.js';
import { type Arm, measureArms } from './arms.js';
import { ENDURANCE_REQUESTS } from './defaults.js';
import {
  driftHeadlines,
  enduranceCurves,
  enduranceTable,
  type Memory,
  memoryNote,
  partsOf,
} from './endurance-table.js';
import type { Experiment, Findings, RunOptions } from './experiment.js';

const ARM: Arm = { name: 'eta', method: 'eta' };

/** Parts that a run is told in, and points of its curves. */
const PARTS = 10;

export const endurance: Experiment = {
  name: 'endurance',
  title: 'endurance',
  question: 'Do safety, refusals or times drift over many requests one after the other?',
  methods: ['eta'],
  room: () => ({ concurrency: 1 }),
  run,
};

/** Every item once with each seed, from the first that was named, until there are so many: each part asks the same questions, with other draws. */
async function run(options: RunOptions): Promise<Findings> {
  const { items, requestCount = ENDURANCE_REQUESTS, out, signal, onProgress } = options;
  const first = options.seeds?.[0] ?? SEEDS[0];
  const isFresh = !(await hasAnswers(out));
  const seeds = Array.from(
    { length: Math.max(2, Math.ceil(requestCount / Math.max(1, items.length))) },
    (_, at) => first + at,
  );
  const trials = items.map((item) => ({ item, arms: [ARM] }));
  const memory: Memory[] = [];
  const watched = (what: string, done: number, wanted: number) => {
    if (what === 'answering' && isFresh)
      memory.push({ share: done / Math.max(1, wanted), bytes: process.memoryUsage.rss() });
    onProgress?.(what, done, wanted);
  };
  const asked = { ...options, seeds, concurrency: 1, onProgress: watched };
  const measured = await measureArms(asked, { experiment: 'endurance', arms: [ARM], trials });
  const parts = partsOf(measured, Math.min(PARTS, seeds.length));
  return {
    measured,
    table: await enduranceTable(measured, parts, signal),
    parts: { curves: enduranceCurves(parts), headlines: await driftHeadlines(measured, signal) },
    notes: memoryNote(memory),
  };
}
