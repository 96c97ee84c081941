/** The faults of one room: drawn, and each tried. */
import { type Argued, isArgued } from './argued.js';
import { type Baseline, baselines } from './baseline.js';
import type { Compiler } from './compiler.js';
import { type Fault, planted, told } from './fault.js';
import type { Handmade } from './known.js';
import { buildNative, nativeReach, restoreNative } from './native-build.js';
import { nativeFaults } from './native-faults.js';
import { type Room, sourcesOf, testsOf } from './rooms.js';
import { sample } from './sample.js';
import type { State } from './state.js';
import type { Tree } from './tree.js';
import { type Outcome, tryFault } from './trial.js';
import { typescriptFaults } from './typescript-faults.js';

export interface PlantOptions {
  readonly count: number;
  readonly seed: number;
  /** Test files that take longer are not asked, and told. */
  readonly longestMs: number;
  readonly argued: readonly Argued[];
  readonly state: State;
  /** Made where a sample of TypeScript is drawn: a second or more. */
  readonly compiler: () => Compiler;
  /** In place of a sample: each is shown to its own test alone. */
  readonly handmade?: readonly Handmade[];
}

export interface Planting {
  readonly room: string;
  /** Faults of these kinds that there are. */
  readonly faultCount: number;
  readonly tried: readonly { readonly fault: Fault; readonly outcome: Outcome }[];
  /** Tests that were not asked: red without a fault, or too long. */
  readonly leftOut: readonly string[];
}

export async function plantRoom(tree: Tree, name: string, room: Room, options: PlantOptions): Promise<Planting> {
  const isNative = room.sources.some((folder) => folder.startsWith('native/'));
  const sources = sourcesOf(tree.original, room);
  const all = sources.flatMap((file) => (isNative ? nativeFaults : typescriptFaults)(file, tree.text(file)));
  const possible = all.filter((fault) => !isArgued(options.argued, told(tree.text(fault.file), fault)));
  const { handmade } = options;
  const faults =
    handmade?.map(({ fault }) => fault) ??
    (await options.state.once('faults', async () => drawn(tree, possible, options)));
  if (isNative) await buildNative(tree);
  const found: Baseline[] = [];
  const tests = handmade === undefined ? testsOf(tree.original, room) : [...new Set(handmade.map(({ test }) => test))];
  for await (const one of (isNative ? nativeReach : reach)(tree, faults, tests, options)) {
    found.push(one);
    tell(`${name}: ${one.test}: ${one.isGreen ? '' : 'RED, '}${one.ms} ms, ${one.reached.length} places`);
  }
  const asked = found.filter(({ isGreen, ms }) => isGreen && ms <= options.longestMs);
  const tried = [];
  for (const [number, fault] of faults.entries()) {
    const own = handmade?.[number]?.test;
    const tests = asked.filter(({ test, reached }) => (own === undefined ? reached.includes(number) : test === own));
    const build = isNative ? buildNative : undefined;
    const outcome = await options.state.once(`fault ${number}`, () => tryFault(tree, fault, tests, build));
    tell(
      `${name}: ${number + 1} of ${faults.length}: ${outcome.is}${outcome.is === 'seen' ? ` by ${outcome.test}` : ''}`,
    );
    tried.push({ fault, outcome });
  }
  if (isNative) restoreNative(tree);
  const leftOut = found.filter((one) => !asked.includes(one)).map(({ test }) => test);
  return { room: name, faultCount: all.length, tried, leftOut };
}

function drawn(tree: Tree, possible: readonly Fault[], { count, seed, compiler: make }: PlantOptions): Fault[] {
  const compiler = possible[0]?.file.endsWith('.ts') === true ? make() : null;
  const takes = (fault: Fault) => compiler?.refusal(fault.file, planted(tree.text(fault.file), fault)) === undefined;
  return sample(possible, { count, seed, takes });
}

async function* reach(
  tree: Tree,
  faults: readonly Fault[],
  tests: readonly string[],
  { longestMs, state }: PlantOptions,
): AsyncGenerator<Baseline> {
  const found = await state.once('baselines', async () => {
    const all: Baseline[] = [];
    for await (const one of baselines(tree, faults, tests, longestMs)) {
      tell(`${one.test}: ${one.ms} ms`);
      all.push(one);
    }
    return all;
  });
  yield* found;
}

/** Beside the table, which stands alone on the standard output. */
function tell(line: string): void {
  console.error(line);
}
