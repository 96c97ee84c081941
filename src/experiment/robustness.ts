/** What each way of guarding still holds when requests are changed to slip past it. */
import { join } from 'node:path';
import { CONCURRENCY } from '../batch/index.js';
import { type BenchmarkItem, SEEDS } from '../benchmark/index.js';
import type { Eta } from '../eta/index.js';
import { knownThreshold } from '../policy/index.js';
import { type Arm, measureArms, type Trial } from './arms.js';
import { type ChangedItems, changedItems } from './changed-items.js';
import { type ChosenChanges, chosenChanges } from './chosen-changes.js';
import { QUERY_COUNT } from './defaults.js';
import type { Experiment, Findings, RunOptions } from './experiment.js';
import { knownArms } from './known-arms.js';
import { type MadeAttacks, readAttacks } from './made-attacks.js';
import {
  harmlessTable,
  robustnessCurves,
  robustnessHeadlines,
  robustnessTable,
  searchNotes,
} from './robustness-table.js';
import { wrappedTable } from './wrapped-answers.js';

/**
 * The model alone; the reward model alone, which no change of a picture blinds to the answer's text; ETA; and ETA where a very
 * low reward is enough.
 */
const ARMS: readonly Arm[] = [
  { name: 'vanilla', method: 'vanilla' },
  { name: 'post', method: 'post' },
  { name: 'eta', method: 'eta' },
  { name: 'lowAnswerOrBoth', method: 'eta', options: { gate: 'lowAnswerOrBoth' } },
];

/** Most that the search may change a value, in steps of 0 to 255. */
const SEARCH_LIMITS: readonly number[] = [8, 16, 32];

export const robustness: Experiment = {
  name: 'robustness',
  title: 'robustness',
  question: 'What is left of ETA when requests are changed to slip past it?',
  methods: ARMS.map(({ method }) => method),
  room: ({ concurrency = CONCURRENCY }) => ({ concurrency }),
  run,
};

/** Where changed pictures stand. */
export function picturesFolder(out: string): string {
  return join(out, 'pictures');
}

async function run(options: RunOptions): Promise<Findings> {
  const { eta, items, attacks: attacksFolder } = options;
  const changes = searchable(chosenChanges(options.changes), options);
  const attacks = attacksFolder === undefined ? null : await readAttacks(attacksFolder);
  const { known, notes } = knownArms(ARMS, options);
  const made = await allChanged(options, changes, attacks);
  const harmless = items.filter(({ isHarmful }) => isHarmful === false);
  const trials = [...trialsOf(made, known), ...harmless.map((item) => ({ item, arms: known }))];
  const measured = await measureArms(options, { experiment: 'robustness', arms: known, trials });
  const { changed, searched } = made;
  const wrapped = changes.isWrapped ? await wrappedTable(measured, changed, options) : null;
  return {
    measured,
    table: robustnessTable(measured, changed),
    moreTables: [wrapped, harmlessTable(measured)].filter((table) => table !== null),
    parts: { curves: robustnessCurves(measured, changed), headlines: robustnessHeadlines(measured, changed) },
    notes: [
      ...notes,
      'The changed pictures, and what the model said in the turns before a question, are in the folder "pictures" beside the report.',
      ...(changes.isSearched ? searchNotes(searched, scoreThreshold(eta)) : []),
      ...attackNotes(attacks, made),
    ],
  };
}

/** What is searched for is a CLIP score: where another judges pictures there is none. */
function searchable(changes: ChosenChanges, { eta }: RunOptions): ChosenChanges {
  return { ...changes, isSearched: changes.isSearched && eta.facts.evaluators.pictures === 'clip' };
}

const scoreThreshold = ({ facts }: Eta) => knownThreshold(facts.thresholds, 'unsafeClipScore', facts.policy.method);

async function allChanged(
  options: RunOptions,
  changes: ChosenChanges,
  attacks: MadeAttacks | null,
): Promise<ChangedItems> {
  const { items, out, onProgress } = options;
  const isPictured = ({ image }: BenchmarkItem) => image !== null;
  return await changedItems({
    ...options,
    items: items.filter((item) => isPictured(item) && item.measure === 'unsafe'),
    harmless: items.filter((item) => isPictured(item) && item.isHarmful === false),
    changes,
    attacks,
    searchLimits: SEARCH_LIMITS,
    queryCount: options.queryCount ?? QUERY_COUNT,
    seed: options.seeds?.[0] ?? SEEDS[0],
    folder: picturesFolder(out),
    onItem: (done, wanted) => onProgress?.('changing requests', done, wanted),
  });
}

/** Every changed request under every arm; draws are those of the request as it was. */
function trialsOf({ changed }: ChangedItems, arms: readonly Arm[]): Trial[] {
  return changed.map(({ item, from, before }) => ({ item, arms, before, seedName: from }));
}

function attackNotes(attacks: MadeAttacks | null, { changed }: ChangedItems): string[] {
  if (attacks === null) return [];
  const own = changed.filter(({ strength }) => strength === 0);
  const wanted = new Set([...attacks.pictures.values()].flat().map(({ picture }) => picture));
  const met = new Set(changed.flatMap(({ item }) => (typeof item.image === 'string' ? item.image : [])));
  const found = [...wanted].filter((picture) => met.has(picture)).length;
  return [
    `Of the ${wanted.size} pictures of --attacks, ${found} were made of the ${own.length} pictures that were asked about.`,
  ];
}
