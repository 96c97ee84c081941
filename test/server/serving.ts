/** `eta-vlm serve` as a process that has said where it listens. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { main } from '../cli/command.js';

interface Serving {
  readonly child: ChildProcess;
  readonly url: string;
  stderr(): string;
}

export async function serving(args: readonly string[], env: Record<string, string> = {}): Promise<Serving> {
  const words = [main, 'serve', '--port', '0', '--threads', '1', ...args];
  const child = spawn(process.execPath, words, { env: { ...process.env, ...env } });
  let stderr = '';
  child.stderr.on('data', (piece) => {
    stderr += piece;
  });
  const [address] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
  assert.ok(Buffer.isBuffer(address), stderr);
  return { child, url: address.toString().trim(), stderr: () => stderr };
}
