/** What each way of guarding still holds when requests are changed to slip past it. */
import { join } from 'node:path';
import { CONCURRENCY, settingsOf } from '../batch/index.js';
import { type BenchmarkItem, SEEDS } from '../benchmark/index.js';
import { readClip } from '../manifest/index.js';
import { groupBy } from '../statistics/index.js';
import { type Arm, measureArms, type Trial } from './arms.js';
import type { PicturedItem } from './changed-item.js';
import { type ChangedItems, changedItems } from './changed-items.js';
import { type ChosenChanges, chosenChanges, SEARCH } from './chosen-changes.js';
import { QUERY_COUNT } from './defaults.js';
import type { Experiment, Findings, RunOptions } from './experiment.js';
import { knownArms } from './known-arms.js';
import { type MadeAttacks, readAttacks } from './made-attacks.js';
import { underPolicy } from './policy-arm.js';
import { robustnessCurves } from './robustness-curves.js';
import { harmlessTable, robustnessHeadlines, robustnessTable, searchNotes } from './robustness-table.js';
import { wrappedTable } from './wrapped-answers.js';

/**
 * The model alone; the reward model alone, which no change of a picture blinds to the answer's text; ETA behind its own gate; and
 * the policy `balanced`.
 */
const ARMS: readonly Arm[] = [
  { name: 'vanilla', method: 'vanilla' },
  { name: 'post', method: 'post' },
  { name: 'eta', method: 'eta', options: { gate: 'both' } },
  underPolicy('balanced'),
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
  const { items, attacks: attacksFolder } = options;
  const attacks = attacksFolder === undefined ? null : await readAttacks(attacksFolder);
  const harmless = items.filter(({ isHarmful }) => isHarmful === false);
  const harmful = items
    .filter(({ measure, isHarmful }) => measure === 'unsafe' && isHarmful !== false)
    .filter(isPictured);
  const { changes, notes: left } = possible(chosenChanges(options.changes), harmless.some(isPictured), options);
  const { known, notes } = knownArms(armsOf(options), options);
  const made = await allChanged(options, { harmful, harmless: harmless.filter(isPictured), changes, attacks });
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
      ...left,
      ...(harmful.length === 0 ? ['The set has no harmful request with a picture: nothing was changed.'] : []),
      'The changed pictures, and what the model said in the turns before a question, are in the folder "pictures" beside the report.',
      ...searchNotes(searched, options.eta.facts.thresholds.unsafeClipScore ?? Number.NaN),
      ...failureNotes(made),
      ...(await attackNotes(attacks, made, options)),
    ],
  };
}

const isPictured = (item: BenchmarkItem): item is PicturedItem => item.image !== null;

/** A gate that was named, and is none of theirs, is an arm too. */
function armsOf({ eta }: RunOptions): readonly Arm[] {
  const { gate } = eta.facts.policy;
  const isTheirs = gate === null || ARMS.some(({ options }) => options?.gate === gate);
  return isTheirs ? ARMS : [...ARMS, { name: gate, method: 'eta', options: { gate } }];
}

/** Without those that there cannot be: a search for a CLIP score where CLIP judges nothing, harmless pictures where there are none. */
function possible(changes: ChosenChanges, hasHarmless: boolean, { eta }: RunOptions) {
  const isSearched = changes.isSearched && eta.facts.evaluators.pictures === 'clip';
  const without = changes.pictures.filter(({ needsHarmless = false }) => needsHarmless && !hasHarmless);
  const notes = [
    ...(changes.isSearched && !isSearched
      ? [`The change ${SEARCH} was left out: it lowers a CLIP score, and here CLIP judges no pictures.`]
      : []),
    ...without.map(({ name }) => `The change ${name} was left out: the set has no harmless pictures.`),
  ];
  const pictures = changes.pictures.filter((change) => !without.includes(change));
  return { changes: { ...changes, pictures, isSearched }, notes };
}

interface Wanted {
  readonly harmful: readonly PicturedItem[];
  readonly harmless: readonly PicturedItem[];
  readonly changes: ChosenChanges;
  readonly attacks: MadeAttacks | null;
}

async function allChanged(options: RunOptions, { harmful, ...wanted }: Wanted): Promise<ChangedItems> {
  const { eta, out, signal, onProgress } = options;
  return await changedItems({
    ...options,
    ...wanted,
    items: harmful,
    settings: await settingsOf(eta.facts, { seed: 0 }, signal),
    searchLimits: SEARCH_LIMITS,
    queryCount: options.queryCount ?? QUERY_COUNT,
    seed: options.seeds?.[0] ?? SEEDS[0],
    folder: picturesFolder(out),
    onItem: (done, count) => onProgress?.('changing requests', done, count),
  });
}

/** Every changed request under every arm; draws are those of the request as it was. */
function trialsOf({ changed }: ChangedItems, arms: readonly Arm[]): Trial[] {
  return changed.map(({ item, from, before }) => ({ item, arms, before, seedName: from }));
}

function failureNotes({ failed }: ChangedItems): string[] {
  return [...groupBy(failed, ({ change, code }) => `${change}: ${code}`)].map(
    ([what, { length }]) => `${length} requests could not be changed, because the model could not answer (${what}).`,
  );
}

async function attackNotes(attacks: MadeAttacks | null, made: ChangedItems, { eta }: RunOptions): Promise<string[]> {
  if (attacks === null) return [];
  const names = new Set([...attacks.pictures.values()].flat().map(({ change }) => change));
  const count = [...attacks.pictures.values()].flat().length;
  const found = made.changed.filter(({ change }) => names.has(change)).length;
  const requests = made.changed.filter(({ strength }) => strength === 0).length;
  const { clip } = eta.facts.models;
  const own = clip === null ? null : (await readClip(clip, eta.facts.verifyHashes)).manifest.files.vision.sha256;
  return [
    `Of the ${count} pictures of --attacks, ${found} were made of pictures of the ${requests} requests.`,
    ...(own === attacks.clip
      ? []
      : ['They were made against another CLIP than the one that judges here: what they do is carried over.']),
  ];
}
