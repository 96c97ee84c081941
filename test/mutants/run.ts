/**
 * Plants small faults, one at a time, in a copy of the package, and says which of them the tests of their room see.
 *
 *     npm run mutants -- [--rooms eta,search] [--count 30] [--seed 1] [--longest 120] [--known] [--least 90]
 *
 * Exit status: 1 where less than --least percent of a room's faults are seen, 2 where something else is asked for.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitStatus } from '../fuzz/misuse.js';
import { readArgued } from './argued.js';
import { readAsked, stateName } from './asked.js';
import { Compiler } from './compiler.js';
import { knownFaults } from './known.js';
import { type Planting, plantRoom } from './plant-room.js';
import { isSeen, report } from './report.js';
import { ROOMS } from './rooms.js';
import { State } from './state.js';
import { Tree } from './tree.js';

async function main(): Promise<number> {
  const asked = readAsked(process.argv.slice(2));
  const original = fileURLToPath(new URL('../..', import.meta.url));
  const tree = new Tree(original);
  const argued = readArgued(join(original, 'test', 'mutants', 'argued.json'));
  let shared: Compiler | undefined;
  const compiler = () => {
    shared ??= new Compiler(original);
    return shared;
  };
  const plantings: Planting[] = [];
  for (const name of asked.rooms) {
    const room = ROOMS[name];
    if (room === undefined) continue;
    plantings.push(
      await plantRoom(tree, name, room, {
        count: asked.count,
        seed: asked.seed,
        longestMs: asked.longest * 1000,
        argued,
        compiler,
        state: new State(join(dirname(tree.root), stateName(name, asked)), tree.key),
        ...(asked.known && { handmade: knownFaults(tree, name) }),
      }),
    );
  }
  process.stdout.write(report(tree, plantings));
  return plantings.every((planting) => isSeen(planting, asked.least)) ? 0 : 1;
}

process.exitCode = await exitStatus(main);
