/** Pipes in the place of files: requests may come through one; whatever is read whole may not, and says so. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readAnswers } from '../../src/batch/index.js';
import { assertRefused, main, run } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-pipes-'));
after(() => rmSync(folder, { recursive: true }));
const options = { skip: process.platform === 'win32' };
let count = 0;
function pipe(): string {
  const path = join(folder, `pipe-${++count}`);
  execFileSync('mkfifo', [path]);
  return path;
}
const out = () => join(folder, `out-${++count}.jsonl`);

/** A shell's command, stopped by SIGINT once the models are loaded; how long it took to end. */
async function interrupted(command: string): Promise<{ code: number | null; ms: number; stderr: string }> {
  const child = spawn('bash', ['-c', `exec ${command}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const guard = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  await new Promise((resolve) => setTimeout(resolve, 6000));
  const startedAt = performance.now();
  child.kill('SIGINT');
  const code = await ended;
  clearTimeout(guard);
  return { code, ms: performance.now() - startedAt, stderr };
}

const batch = (requests: string) => `"${process.execPath}" "${main}" batch ${requests} --out "${out()}"`;

test('a batch that waits for a pipe nobody writes to ends at the first SIGINT', options, async () => {
  const { code, ms, stderr } = await interrupted(batch(pipe()));
  assert.equal(code, 130, stderr);
  assert.ok(ms < 5000, `${ms} ms`);
});

test('a batch that waits for a slow process ends at the first SIGINT', options, async () => {
  const { code, ms, stderr } = await interrupted(batch('<(exec sleep 15)'));
  assert.equal(code, 130, stderr);
  assert.ok(ms < 5000, `${ms} ms`);
});

test('requests that come through a pipe, in pieces, are answered', options, async () => {
  const [path, answers] = [pipe(), out()];
  const lines = ['a', 'b', 'c'].map((id) => JSON.stringify({ id, prompt: 'p', method: 'vanilla', maxTokens: 2 }));
  const text = `${lines.join('\n')}\n`;
  const script = 'exec 9>"$1"; printf %s "$2" >&9; sleep 1; printf %s "$3" >&9';
  const writer = spawn('bash', ['-c', script, 'x', path, text.slice(0, 40), text.slice(40)]);
  const ended = await run(['batch', path, '--out', answers]);
  writer.kill();
  assert.equal(ended.code, 0, ended.stderr);
  const ids: (string | null)[] = [];
  for await (const { id } of readAnswers(answers)) ids.push(id);
  assert.deepEqual(ids.sort(), ['a', 'b', 'c']);
});

const REFUSED: readonly (readonly [string, (path: string) => string[], RegExp])[] = [
  ['a language model', (path) => ['ask', '--method', 'vanilla', '--language-model', path, 'p'], /pipe/],
  ['a file of thresholds', (path) => ['ask', '--thresholds', path, 'p'], /no regular file/],
  ['a file of answers', (path) => ['calibrate', '--safe-answers', path, '--unsafe-answers', path], /no regular file/],
  ['answers to merge', (path) => ['batch-merge', path, '--out', out()], /./],
];
for (const [what, args, message] of REFUSED) {
  test(`${what} that is a pipe is refused at once`, { ...options, timeout: 60_000 }, async () => {
    const ended = await run(args(pipe()), { signals: [{ signal: 'SIGTERM', afterMs: 20_000 }] });
    assert.notEqual(ended.code, 143, 'it waited');
    assert.match(ended.stderr, message);
    assert.match(ended.stderr, /\(ERR_[A-Z_]+\)\n$/);
  });
}

test('a manifest that is a pipe is refused at once', { ...options, timeout: 60_000 }, async () => {
  const path = mkdtempSync(join(folder, 'clip-'));
  execFileSync('mkfifo', [join(path, 'manifest.json')]);
  writeFileSync(join(path, 'other'), '');
  const ended = await run(['ask', '--language-model', 'none.gguf', '--clip', path, 'p'], {
    signals: [{ signal: 'SIGTERM', afterMs: 20_000 }],
  });
  assert.equal(ended.code, 1, ended.stderr);
  const verified = await run(['models', 'verify', path], { signals: [{ signal: 'SIGTERM', afterMs: 20_000 }] });
  assertRefused(verified, { exitCode: 1, code: 'ERR_MODEL_NOT_FOUND', message: /./ });
});
