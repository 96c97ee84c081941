/** Runs proofs one after another, never two at once: a machine that is busy spoils every time and half of the rest. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { outcomeOf, type Proof, type ProofResult } from './proof.js';
import type { Results } from './results.js';

const LINES_KEPT = 30;

export interface ProveOptions {
  /** Where the commands run. */
  readonly root: string;
  readonly results: Results;
  /** Ends the proof that runs, which is then as if it had not begun. */
  readonly signal: AbortSignal;
  say(line: string): void;
}

/** What is kept is not run again, but for what could not run: the reason may be gone. */
export async function prove(proofs: readonly Proof[], { root, results, signal, say }: ProveOptions): Promise<void> {
  for (const proof of proofs) {
    const kept = results.find(proof.name);
    if (kept !== null && kept.outcome !== 'could not run') {
      say(`${proof.name}: ${kept.outcome}, ${kept.begunAt}`);
      continue;
    }
    say(`${proof.name}: ${proof.command.join(' ')}`);
    const result = await run(proof, { root, log: results.logOf(proof.name), signal });
    if (result === null) return;
    results.keep(result);
    say(`${proof.name}: ${result.outcome} after ${Math.round(result.seconds)} s`);
  }
}

/** @returns null where the signal ended it */
async function run(
  { name, command: [program, ...args] }: Proof,
  { root, log, signal }: Pick<ProveOptions, 'root' | 'signal'> & { readonly log: string },
): Promise<ProofResult | null> {
  if (signal.aborted) return null;
  const begunAt = new Date().toISOString();
  const startedAt = performance.now();
  const loadBefore = loadavg()[0] ?? 0;
  const out = openSync(log, 'w');
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', out, out], detached: true });
  closeSync(out);
  const end = () => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM'); // with all that it started
  };
  signal.addEventListener('abort', end, { once: true });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  signal.removeEventListener('abort', end);
  if (signal.aborted) return null;
  return {
    name,
    outcome: outcomeOf(status),
    status,
    begunAt,
    seconds: (performance.now() - startedAt) / 1000,
    load: [loadBefore, loadavg()[0] ?? 0],
    lastLines: readFileSync(log, 'utf8').trimEnd().split('\n').slice(-LINES_KEPT),
  };
}
