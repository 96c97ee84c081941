/** What is left of ETA's gain when pictures are changed to slip past its CLIP gate. */
import { join } from 'node:path';
import { CONCURRENCY } from '../batch/index.js';
import { SEEDS } from '../benchmark/index.js';
import { knownThreshold } from '../policy/index.js';
import { type Arm, measureArms, type Trial } from './arms.js';
import { type ChangedItem, changedItems } from './changed-pictures.js';
import { QUERY_COUNT } from './defaults.js';
import type { Experiment, Findings, RunOptions } from './experiment.js';
import { chosenChanges } from './picture-changes.js';
import { robustnessCurves, robustnessHeadlines, robustnessTable, searchNotes } from './robustness-table.js';

/** The model alone, ETA, and the reward model alone, which no change of a picture blinds to the answer's text. */
const ARMS: readonly Arm[] = [
  { name: 'vanilla', method: 'vanilla' },
  { name: 'post', method: 'post' },
  { name: 'eta', method: 'eta' },
];

/** Most that the search may change a value, in steps of 0 to 255. */
const SEARCH_LIMITS: readonly number[] = [8, 16, 32];

export const robustness: Experiment = {
  name: 'robustness',
  title: 'robustness',
  question: 'What is left of ETA when pictures are changed to slip past its CLIP gate?',
  methods: ARMS.map(({ method }) => method),
  room: ({ concurrency = CONCURRENCY }) => ({ concurrency }),
  run,
};

/** Where changed pictures stand. */
export function picturesFolder(out: string): string {
  return join(out, 'pictures');
}

async function run(options: RunOptions): Promise<Findings> {
  const { eta, items, out, signal, onProgress } = options;
  const { changes, isSearched } = chosenChanges(options.changes);
  const pictured = items.filter(({ image }) => image !== null);
  const { changed, searched } = await changedItems({
    eta,
    items: pictured.filter(({ measure }) => measure === 'unsafe'),
    harmless: pictured.filter(({ isHarmful }) => isHarmful === false),
    changes,
    searchLimits: isSearched ? SEARCH_LIMITS : [],
    queryCount: options.queryCount ?? QUERY_COUNT,
    seed: options.seeds?.[0] ?? SEEDS[0],
    folder: picturesFolder(out),
    maxPixels: options.maxPixels,
    signal,
    onPicture: (done, wanted) => onProgress?.('changing pictures', done, wanted),
  });
  const measured = await measureArms(options, { experiment: 'robustness', arms: ARMS, trials: trialsOf(changed) });
  return {
    measured,
    table: await robustnessTable(measured, changed),
    parts: { curves: robustnessCurves(measured, changed), headlines: robustnessHeadlines(measured, changed) },
    notes: [
      'The changed pictures are in the folder "pictures" beside the report.',
      ...searchNotes(searched, knownThreshold(eta.facts.thresholds, 'unsafeClipScore', eta.facts.policy.method)),
    ],
  };
}

/** Every changed picture under every arm; draws are those of the picture as it was. */
function trialsOf(changed: readonly ChangedItem[]): Trial[] {
  return changed.map(({ item, from }) => ({ item, arms: ARMS, seedName: from }));
}
