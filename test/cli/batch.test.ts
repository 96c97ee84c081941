import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { galleryRequests } from '../../bench/gallery-requests.js';
import { assertRefused, main, run } from './command.js';

let folder = '';
let requestsPath = '';
const REQUEST_COUNT = 24;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'eta-vlm-batch-'));
  requestsPath = join(folder, 'requests.jsonl');
  const lines = galleryRequests(REQUEST_COUNT).map((request) => `${JSON.stringify({ ...request, maxTokens: 48 })}\n`);
  writeFileSync(requestsPath, lines.join(''));
});
after(() => rmSync(folder, { recursive: true }));

let count = 0;
const fresh = () => join(folder, `answers-${++count}.jsonl`);
const linesOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string | null; line: number; error: { code: string } | null });
const REPEATABLE = ['--repeatable', '--ordered'];
/** A request that is answered in milliseconds. */
const quick = (id: string, more = '') =>
  `{"id":"${id}","prompt":"What is ${id}?","method":"vanilla","maxTokens":3${more}}`;

describe('a whole batch', () => {
  test('answers go to the file, the summary to stderr, nothing to stdout', async () => {
    const out = fresh();
    const ended = await run(['batch', requestsPath, '--out', out, '--concurrency', '4']);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(ended.stdout, '');
    assert.match(ended.stderr, /^requests {4}24 done in [\d.]+ (s|min), [\d.]+ a (second|minute)$/m);
    assert.match(ended.stderr, /^answered +\d+ {2}the model's own answer stands$/m);
    assert.match(ended.stderr, new RegExp(`^results {5}${out}$`, 'm'));
    assert.deepEqual(
      new Set(linesOf(out).map(({ id }) => id)),
      new Set(galleryRequests(REQUEST_COUNT).map(({ id }) => id)),
    );
    assert.equal(existsSync(`${out}.lock`), false);

    assertRefused(await run(['batch', requestsPath, '--out', out]), {
      exitCode: 2,
      code: 'ERR_RESULTS_EXIST',
      message: /with --overwrite\. Or go on with --resume\./,
    });
    const other = ['--seed', '2', '--temperature', '1', '--method', 'deep', '--safe-reward', '0.5', '--trace'];
    assertRefused(await run(['batch', requestsPath, '--out', out, '--resume', ...other]), {
      exitCode: 2,
      code: 'ERR_RESULTS_DIFFER',
      message:
        /--method was "eta", is "deep"; --temperature was 1\.5, is 1; --safe-reward was [\d.]+, is 0\.5; seed was 1, is 2; --trace was false, is true/,
    });
    const again = await run(['batch', requestsPath, '--out', out, '--resume', '--concurrency', '2']);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stderr, /nothing left to do, 24 before/);
  });

  test('shards, merged, are the file of one run', async () => {
    const [whole, merged] = [fresh(), fresh()] as const;
    const shards = ['1/2', '2/2'].map((shard) => ({ shard, out: fresh() }));
    for (const { shard, out } of shards) {
      const ended = await run(['batch', requestsPath, '--out', out, '--shard', shard, ...REPEATABLE]);
      assert.equal(ended.code, 0, ended.stderr);
    }
    assert.equal((await run(['batch', requestsPath, '--out', whole, ...REPEATABLE])).code, 0);
    const [first, second] = shards.map(({ out }) => out) as [string, string];
    const ended = await run(['batch', 'merge', second, first, '--out', merged, '--ordered']);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /^requests {4}24, from 2 files$/m);
    assert.equal(readFileSync(merged, 'utf8'), readFileSync(whole, 'utf8'));

    const part = await run(['batch', 'merge', first, '--out', fresh()]);
    assert.equal(part.code, 3, part.stderr);
    assert.match(part.stderr, /Not all shards were given: 2\/2 is missing/);
    const resumed = await run(['batch', requestsPath, '--out', merged, '--resume', ...REPEATABLE]);
    assert.match(resumed.stderr, /nothing left to do, 24 before/);

    assertRefused(await run(['batch', 'merge', first, first, '--out', fresh()]), {
      exitCode: 2,
      code: 'ERR_DUPLICATE_ID',
      message: /received two/,
    });
    assertRefused(await run(['batch', requestsPath, '--out', first, '--shard', '2/2', '--resume', ...REPEATABLE]), {
      exitCode: 2,
      code: 'ERR_RESULTS_DIFFER',
      message: /shard was "1\/2", is "2\/2"/,
    });
  });

  test('from stdin, with failures: exit code 3, and each told with its line', async () => {
    const out = fresh();
    const one = `${quick('a')}\n${quick('b', ',"image":"none.png"')}\n`;
    assert.equal((await run(['batch', '-', '--out', fresh()], { stdin: one })).code, 3, 'one failure is enough');
    const stdin = `${quick('a')}\r\n\n${quick('b', ',"image":"none.png"')}\n{"id":\n${quick('a')}\n`;
    const ended = await run(['batch', '-', '--out', out, '--ordered'], { stdin });
    assert.equal(ended.code, 3, ended.stderr);
    assert.deepEqual(
      linesOf(out).map(({ id, line, error }) => [id, line, error?.code]),
      [
        ['a', 1, undefined],
        ['b', 3, 'ERR_IMAGE_NOT_FOUND'],
        [null, 4, 'ERR_INVALID_LINE'],
        [null, 5, 'ERR_DUPLICATE_ID'],
      ],
    );
    assert.match(ended.stderr, /^errors +3 {2}no answer, the results tell why$/m);
    assert.match(ended.stderr, /line 3, b: The picture .*none\.png/);
    assert.match(ended.stderr, /--retry-errors/);
    assert.match(ended.stderr, /^cut +1 {2}of these, at --max-tokens or the end of the context: stopReason tells$/m);
    const mended = `${quick('a')}\n\n${quick('b')}\n${quick('c')}\n${quick('d')}\n`;
    const retried = await run(['batch', '-', '--out', out, '--retry-errors', '--ordered'], { stdin: mended });
    assert.equal(retried.code, 0, retried.stderr);
    assert.deepEqual(
      linesOf(out).map(({ id }) => id),
      ['a', 'b', 'c', 'd'],
    );
  });
});

describe('what cannot be right is refused before the models load', () => {
  const cases: readonly [what: string, args: readonly string[], exitCode: number, code: string, message: RegExp][] = [
    ['no --out', [], 2, 'ERR_INVALID_OPTION', /Expected --out/],
    ['a shard of none', ['--out', 'x', '--shard', '0/4'], 2, 'ERR_INVALID_OPTION', /i\/n/],
    ['a shard beyond', ['--out', 'x', '--shard', '5/4'], 2, 'ERR_INVALID_OPTION', /i\/n/],
    ['resume and overwrite', ['--out', 'x', '--resume', '--overwrite'], 2, 'ERR_INVALID_OPTION', /cannot be used with/],
    [
      'retry and overwrite',
      ['--out', 'x', '--retry-errors', '--overwrite'],
      2,
      'ERR_INVALID_OPTION',
      /cannot be used with/,
    ],
    ['none at once', ['--out', 'x', '--concurrency', '0'], 2, 'ERR_INVALID_OPTION', /from 1 to 256/],
    ['a near miss', ['--out', 'x', '--concurency', '2'], 2, 'ERR_UNKNOWN_OPTION', /Did you mean '--concurrency'\?/],
    ['a cosine of 2', ['--out', 'x', '--unsafe-clip-score', '2'], 2, 'ERR_INVALID_OPTION', /from -1 to 1/],
    ['a folder for answers', ['--out', tmpdir()], 2, 'ERR_INVALID_OPTION', /a folder/],
  ];
  for (const [what, args, exitCode, code, message] of cases) {
    test(what, async () => {
      assertRefused(await run(['batch', requestsPath, ...args]), { exitCode, code, message });
    });
  }
  test('requests that are not there', async () => {
    assertRefused(await run(['batch', join(folder, 'none.jsonl'), '--out', fresh()]), {
      exitCode: 1,
      code: 'ERR_FILE_READ',
      message: /found none/,
    });
  });
});

describe('stopped', () => {
  /** Starts a batch, and stops it once so many lines stand in the file. */
  async function stopped(out: string, lineCount: number, signal: NodeJS.Signals) {
    const child = spawn(process.execPath, [main, 'batch', requestsPath, '--out', out, '--resume', ...REPEATABLE], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    const size = () => (existsSync(out) ? statSync(out).size : 0);
    for (let lines = 0, bytes = size(); lines < lineCount && child.exitCode === null; await sleep(1)) {
      if (size() !== bytes) lines++;
      bytes = size();
    }
    const stoppedAt = performance.now();
    child.kill(signal);
    const [code] = await closed;
    return { code, stderr, ms: performance.now() - stoppedAt };
  }

  test('killed three times and resumed, it is the file of an unbroken run', async () => {
    const [broken, whole] = [fresh(), fresh()] as const;
    for (const lineCount of [3, 1, 5]) {
      const { code, stderr } = await stopped(broken, lineCount, 'SIGKILL');
      assert.equal(code, null, `expected the kill to come in time: ${stderr}`);
      assert.ok(linesOf(broken).length < REQUEST_COUNT, 'expected something to be left');
    }
    assert.ok(existsSync(`${broken}.lock`), 'expected a killed process to leave its lock');
    const keptCount = linesOf(broken).length;
    const ended = await run(['batch', requestsPath, '--out', broken, '--resume', ...REPEATABLE]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(
      ended.stderr,
      new RegExp(`^requests {4}${REQUEST_COUNT - keptCount} done in .*, ${keptCount} before$`, 'm'),
    );
    assert.equal((await run(['batch', requestsPath, '--out', whole, ...REPEATABLE])).code, 0);
    assert.equal(readFileSync(broken, 'utf8'), readFileSync(whole, 'utf8'));
  });

  test('Ctrl-C: exit code 130, and what to do next', async () => {
    const out = fresh();
    const { code, stderr } = await stopped(out, 3, 'SIGINT');
    assert.equal(code, 130, stderr);
    assert.match(stderr, /Stopped before the end. The same command with --resume goes on.\neta-vlm: interrupted.\n$/);
    assert.equal(existsSync(`${out}.lock`), false);
    const { length } = linesOf(out);
    assert.ok(length >= 3 && length < REQUEST_COUNT, `${length} lines`);
  });

  test('a terminal that is closed, a termination: whole lines stay, the lock goes, and a second run goes on', async () => {
    const out = fresh();
    for (const [signal, exitCode, said] of [
      ['SIGHUP', 129, 'stopped, because the terminal was closed'],
      ['SIGTERM', 143, 'terminated'],
    ] as const) {
      const { code, stderr } = await stopped(out, 2, signal);
      assert.equal(code, exitCode, stderr);
      assert.match(stderr, new RegExp(`with --resume goes on\\.\\neta-vlm: ${said}\\.\\n$`));
      assert.ok(readFileSync(out, 'utf8').endsWith('}\n'), 'expected whole lines alone');
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.includes(basename(out))),
        [basename(out), `${basename(out)}.settings.json`],
      );
    }
    const ended = await run(['batch', requestsPath, '--out', out, '--resume', ...REPEATABLE]);
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(new Set(linesOf(out).map(({ id }) => id)).size, REQUEST_COUNT);
  });

  const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;
  test('the terminal itself goes away', { skip: !hasScript && 'script (util-linux) is not there' }, async () => {
    const [out, codeFile] = [fresh(), join(folder, 'code')];
    const inner = `trap '' HUP; ${process.execPath} ${main} batch ${requestsPath} --out ${out}; echo $? > ${codeFile}`;
    const terminal = spawn('script', ['-qc', inner, join(folder, 'typescript')], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    while (!existsSync(out) || statSync(out).size === 0) await sleep(5);
    terminal.kill('SIGKILL');
    for (let waits = 0; waits < 600 && !existsSync(codeFile); waits++) await sleep(100);
    await sleep(50);
    assert.equal(readFileSync(codeFile, 'utf8'), '129\n');
    assert.ok(readFileSync(out, 'utf8').endsWith('}\n'));
    assert.equal(existsSync(`${out}.lock`), false);
  });

  test('a second signal is no crash, whichever the two are, and whoever comes next goes on', async () => {
    const out = fresh();
    for (const [first, second, codes] of [
      ['SIGINT', 'SIGHUP', [130, 129]],
      ['SIGHUP', 'SIGTERM', [129, 143]],
      ['SIGHUP', 'SIGHUP', [129]],
    ] as const) {
      const child = spawn(process.execPath, [main, 'batch', '-', '--out', out, '--resume'], {
        stdio: ['pipe', 'ignore', 'pipe'],
      });
      child.stdin.on('error', () => undefined);
      const before = existsSync(out) ? statSync(out).size : 0;
      child.stdin.write(`${quick(first + second)}\n`);
      while ((existsSync(out) ? statSync(out).size : 0) === before) await sleep(20);
      // Stopped meanwhile, it meets both at once.
      for (const signal of ['SIGSTOP', first, second, 'SIGCONT'] as const) child.kill(signal);
      const [code] = (await once(child, 'close')) as [number | null];
      assert.ok((codes as readonly (number | null)[]).includes(code), `${first}, ${second}: ${code}`);
    }
    assert.equal(linesOf(out).length, 3);
  });

  test('Ctrl-C while it waits for requests on stdin', async () => {
    const out = fresh();
    const child = spawn(process.execPath, [main, 'batch', '-', '--out', out], { stdio: ['pipe', 'ignore', 'pipe'] });
    child.stdin.write(`${quick('a')}\n`);
    while (!existsSync(out) || statSync(out).size === 0) await sleep(20);
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    assert.equal(code, 130);
    assert.equal(linesOf(out).length, 1);
  });

  test('a second process on the same file is refused, and told who writes it', async () => {
    const out = fresh();
    const child = spawn(process.execPath, [main, 'batch', '-', '--out', out], { stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin.write(`${quick('a')}\n`);
    while (!existsSync(out) || statSync(out).size === 0) await sleep(20);
    assertRefused(await run(['batch', requestsPath, '--out', out, '--resume']), {
      exitCode: 2,
      code: 'ERR_RESULTS_LOCKED',
      message: new RegExp(`process ${child.pid} writes it`),
    });
    child.stdin.end();
    assert.deepEqual(await once(child, 'close'), [0, null]);
  });
});
