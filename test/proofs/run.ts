/**
 * `npm run proofs [-- NAME ...]`: what is too long for every change, one after another, and one page of what came of it,
 * `build/proofs/COMMIT/results.md`. Ended at any time, the same call goes on with what is left; `--again` begins anew.
 *
 * Exit status: 1 where something was not shown, 2 for another word, or where the tree is not that of a commit, 130 where a
 * signal ended it. What could not run on this machine stands on the page, and fails nothing.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitStatus, Misuse, readArguments } from '../fuzz/misuse.js';
import { page } from './page.js';
import type { Proof } from './proof.js';
import { PROOFS } from './proofs.js';
import { prove } from './prove.js';
import { Results } from './results.js';

const ENDED = 130;
const root = fileURLToPath(new URL('../..', import.meta.url));

function chosen(names: readonly string[]): readonly Proof[] {
  const unknown = names.find((name) => PROOFS.every((proof) => proof.name !== name));
  if (unknown !== undefined)
    throw new Misuse(`Expected ${PROOFS.map(({ name }) => name).join(', ')}, received '${unknown}'.`);
  return PROOFS.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** What is proven belongs to a commit, or nobody could tell later what it was. */
function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  if (git('status', '--porcelain') !== '')
    throw new Misuse('Expected a tree without changes, because results are kept for a commit. Commit yours first.');
  return git('rev-parse', '--short=12', 'HEAD');
}

async function main(): Promise<number> {
  const { values, positionals } = readArguments({
    allowPositionals: true,
    options: { again: { type: 'boolean', default: false } },
  });
  const proofs = chosen(positionals);
  const facts = { commit: commit(), processor: cpus()[0]?.model ?? 'unknown', coreCount: availableParallelism() };
  const folder = join(root, 'build', 'proofs', facts.commit);
  if (values.again) rmSync(folder, { recursive: true, force: true });
  const results = new Results(folder);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  await prove(proofs, { root, results, signal: stop.signal, say: (line) => console.error(line) });
  const path = join(folder, 'results.md');
  const rows = PROOFS.map((proof) => [proof, results.find(proof.name)] as const);
  writeFileSync(path, page(rows, facts));
  console.log(path);
  if (stop.signal.aborted) return ENDED;
  return proofs.some(({ name }) => results.find(name)?.outcome === 'not shown') ? 1 : 0;
}

process.exitCode = await exitStatus(main);
