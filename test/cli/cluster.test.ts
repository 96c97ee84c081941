/** A batch on several machines: shards as a scheduler tells them, and a machine that is lost. docs/cluster.md. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { galleryRequests } from '../../bench/gallery-requests.js';
import { assertRefused, main, run } from './command.js';

const REQUEST_COUNT = 24;
const REPEATABLE = ['--repeatable', '--ordered', '--concurrency', '1'];
/** Looks at a lock are a twentieth as far apart as a user's. */
const HASTENED = fileURLToPath(new URL('../batch/hastened.mjs', import.meta.url));
const env = { NODE_OPTIONS: `--import=${HASTENED}` };

let folder = '';
let requests = '';
let whole = '';
let count = 0;
const fresh = () => join(folder, `answers-${++count}.jsonl`);

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'eta-vlm-cluster-'));
  requests = join(folder, 'requests.jsonl');
  const lines = galleryRequests(REQUEST_COUNT).map((request) => `${JSON.stringify({ ...request, maxTokens: 48 })}\n`);
  writeFileSync(requests, lines.join(''));
  const out = fresh();
  assert.equal((await run(['batch', requests, '--out', out, ...REPEATABLE])).code, 0);
  whole = readFileSync(out, 'utf8');
});
after(() => rmSync(folder, { recursive: true }));

/** The answers of several files as one, in the order of the requests. */
async function merged(paths: readonly string[]): Promise<string> {
  const out = fresh();
  const ended = await run(['batch', 'merge', ...paths, '--out', out, '--ordered']);
  assert.equal(ended.code, 0, ended.stderr);
  return readFileSync(out, 'utf8');
}

async function untilAnswers(path: string, lineCount: number, child: ChildProcess): Promise<void> {
  const lines = () => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0);
  while (lines() < lineCount && child.exitCode === null && child.signalCode === null) await sleep(5);
  assert.ok(lines() >= lineCount && lines() < REQUEST_COUNT, `${lines()} answers when it was to be stopped`);
}

describe('--shard auto', () => {
  test("a Slurm array's tasks and an Indexed Job's pods, merged, are the file of one run", async () => {
    const slurm = (id: number) => ({
      SLURM_ARRAY_TASK_ID: String(id),
      SLURM_ARRAY_TASK_COUNT: '2',
      SLURM_ARRAY_TASK_MIN: '4',
    });
    const pod = (index: number) => ({ JOB_COMPLETION_INDEX: String(index), JOB_COMPLETION_COUNT: '2' });
    for (const environments of [
      [slurm(4), slurm(5)],
      [pod(0), pod(1)],
    ]) {
      const parts: string[] = [];
      for (const environment of environments) {
        const out = fresh();
        const args = ['batch', requests, '--out', out, '--shard', 'auto', '--resume', '--wait', ...REPEATABLE];
        const ended = await run(args, { env: environment });
        assert.equal(ended.code, 0, ended.stderr);
        parts.push(out);
      }
      assert.equal(await merged(parts), whole);
    }
  });

  test('without a scheduler it is refused before anything is written', async () => {
    const out = fresh();
    assertRefused(await run(['batch', requests, '--out', out, '--shard', 'auto']), {
      exitCode: 2,
      code: 'ERR_INVALID_OPTION',
      message: /--shard auto: expected SLURM_ARRAY_TASK_ID .* name the shard: --shard 1\/4/,
    });
    assert.equal(existsSync(out), false);
  });
});

test('--wait waits for a process of this machine, and goes on with what it left', async () => {
  const out = fresh();
  const first = spawn(process.execPath, [main, 'batch', '-', '--out', out, ...REPEATABLE], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const lines = readFileSync(requests, 'utf8').split('\n');
  first.stdin.write(`${lines.slice(0, 2).join('\n')}\n`);
  await untilAnswers(out, 2, first);
  const second = run(['batch', requests, '--out', out, '--resume', '--wait', ...REPEATABLE]);
  await sleep(1500);
  assert.equal(readFileSync(out, 'utf8').split('\n').length - 1, 2, 'expected the second to write nothing yet');
  first.stdin.end();
  assert.deepEqual(await once(first, 'close'), [0, null]);
  const ended = await second;
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, new RegExp(`^Process ${first.pid} writes .*Waiting until it has ended\\.$`, 'm'));
  assert.match(ended.stderr, /22 done in .*, 2 before/);
  assert.equal(readFileSync(out, 'utf8'), whole);
});

const NODE = ['--uts', '--pid', '--fork', '--mount-proc', '--kill-child'];
const hasNodes = process.platform === 'linux' && spawnSync('unshare', [...NODE, 'true']).status === 0;

describe('a machine of its own name and processes', { skip: !hasNodes && 'needs unshare, and the right to' }, () => {
  /** A batch on a machine called so; from stdin, which stays open, or from the file. */
  function batchOn(name: string, out: string, source = requests) {
    const inner = `hostname ${name}; exec "$0" "$@"`;
    const args = ['batch', source, '--out', out, '--resume', ...REPEATABLE];
    return spawn('unshare', [...NODE, 'bash', '-c', inner, process.execPath, main, ...args], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...process.env, ...env },
    });
  }

  test('killed with all that runs on it, another goes on, and the file is that of an unbroken run', async () => {
    const out = fresh();
    const lost = batchOn('lost', out);
    await untilAnswers(out, 3, lost);
    lost.kill('SIGKILL');
    await once(lost, 'close');
    assert.ok(existsSync(`${out}.lock`), 'expected it to leave its lock');
    const ended = await run(['batch', requests, '--out', out, '--resume', ...REPEATABLE], { env });
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /^Process \d+ on lost writes .*Looking whether it is alive; .* taken for gone\.$/m);
    assert.equal(readFileSync(out, 'utf8'), whole);
  });

  test('alive, though it has the name of this one, it is refused by its number', async () => {
    const out = fresh();
    const other = batchOn(hostname(), out, '-');
    const ending = once(other, 'close');
    const lines = readFileSync(requests, 'utf8').split('\n');
    other.stdin.write(`${lines.slice(0, 2).join('\n')}\n`);
    await untilAnswers(out, 2, other);
    const refused = await run(['batch', requests, '--out', out, '--resume', ...REPEATABLE], { env });
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(
      refused.stderr,
      /but process \d+ on .* writes it .*Stop it, or wait for it with --wait\. \(ERR_RESULTS_LOCKED\)\n$/,
    );
    other.stdin.end();
    assert.deepEqual(await ending, [0, null]);
    const ended = await run(['batch', requests, '--out', out, '--resume', ...REPEATABLE]);
    assert.match(ended.stderr, /22 done in .*, 2 before/);
    assert.equal(readFileSync(out, 'utf8'), whole);
  });
});
