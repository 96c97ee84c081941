/** An Eta where the system gives too few threads: told as that, whoever was first to get none. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./thread-limit-child.mjs', import.meta.url));

/** A user whom nobody else is: the limit counts all threads of a user, and does not hold for root. */
const NOBODY = 200_000 + process.pid;
const THREADS = 4;

function load(more: number) {
  const options = { uid: NOBODY, encoding: 'utf8', timeout: 60_000 } as const;
  return spawnSync(process.execPath, [script, String(more), String(THREADS)], options);
}

/** Needs root, prlimit, and files that everybody may read. */
const canRun = process.getuid?.() === 0 && load(200).stdout === 'loaded\n';

test('whichever part gets no threads, the load ends with ERR_THREADS: no hang, no damaged model', {
  skip: !canRun,
}, () => {
  const words: string[] = [];
  for (let more = 0; more <= 20; more += 2) {
    const { status, signal, stdout, stderr } = load(more);
    assert.deepEqual({ status, signal }, { status: 0, signal: null }, `${more} more: ${stderr}`);
    assert.match(stdout, /^ERR_THREADS Expected .*(threadCount|limit of threads)|^loaded\n$/, `${more} more`);
    words.push(stdout);
  }
  assert.match(words[0] ?? '', /^ERR_THREADS/, 'with none more');
});
