/**
 * Limits of a shell: few open files (`ulimit -n`), few addresses (`ulimit -v`). Commands work, or end with a sentence, a code and
 * their exit code. What V8 ends before the first line of ours, or in the middle of its own work, cannot be had.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { assertRefused, packageRoot, run } from './command.js';

const root = mkdtempSync(join(tmpdir(), 'eta-vlm-limits-'));
after(() => rmSync(root, { recursive: true }));
const picture = join(packageRoot, 'models/miniature/pictures/clean-04.png');
const ASK = ['ask', '--image', picture, '--method', 'eta', '--max-tokens', '3', 'Where?'];

describe('open files', { skip: process.platform === 'win32' && 'ulimit is of POSIX shells' }, () => {
  test('64 are enough for an answer, a batch, doctor and models verify', async () => {
    const requests = join(root, 'r.jsonl');
    writeFileSync(requests, `${JSON.stringify({ id: 'a', prompt: 'Where?', image: picture, maxTokens: 3 })}\n`);
    for (const args of [ASK, ['batch', requests, '--out', join(root, 'a.jsonl')], ['doctor'], ['models', 'verify']]) {
      const { code, stderr } = await run(args, { openFiles: 64 });
      assert.equal(code, 0, `${args[0]}: ${stderr}`);
    }
  });

  test('with too few for its own parts a command says so', async () => {
    const ended = await run(ASK, { openFiles: 40 });
    assertRefused(ended, { exitCode: 1, code: 'ERR_FILE_READ', message: /limit of open files .*EMFILE.*ulimit -n/ });
  });
});

describe('addresses', { skip: process.platform !== 'linux' && 'the limit is read from /proc' }, () => {
  test('too few for the models are told before anything is loaded', async () => {
    for (const addressKiB of [1_500_000, 2_200_000]) {
      const ended = await run(ASK, { addressKiB });
      assertRefused(ended, {
        exitCode: 1,
        code: 'ERR_MEMORY',
        message: /MiB of address space for the models.*ulimit -v/,
      });
    }
  });

  test('models verify says what is wrong too', async () => {
    const ended = await run(['models', 'verify'], { addressKiB: 1_500_000 });
    assertRefused(ended, { exitCode: 1, code: 'ERR_MEMORY', message: /address space for the evaluators/ });
  });

  test('doctor tells it as a problem', async () => {
    const { code, signal, stdout } = await run(['doctor', '--json'], { addressKiB: 1_500_000 });
    assert.deepEqual({ code, signal }, { code: 1, signal: null });
    assert.match(JSON.stringify(JSON.parse(stdout).problems), /address space for the evaluators/);
  });

  test('with enough of them a limit changes nothing', async () => {
    const { code, stderr } = await run(ASK, { addressKiB: 6_000_000 });
    assert.equal(code, 0, stderr);
  });
});
