/**
 * Two machines and one results file: a writer that is taken for lost, while it only stood still, can harm nothing. The
 * other machine is a process that says so of itself; test/cli/cluster.test.ts has one with its own host name and processes.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { refusedLine } from '../../src/batch/answer-line.js';
import { mergeResults, ResultsFile, readAnswers } from '../../src/batch/index.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-takeover-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;
const fresh = () => join(folder, `${++count}.jsonl`);
const settings = { seed: 1 };
const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url));
await import(beside('hastened.mjs'));
const skip = !existsSync('/proc/self/stat') && 'needs signals that stop, and /proc';

async function distant(path: string) {
  const imports = ['tsx', beside('hastened.mjs'), beside('elsewhere.mjs')].flatMap((name) => ['--import', name]);
  const child = spawn(process.execPath, [...imports, beside('distant-writer.ts'), path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const begin = (order: string) => void child.stdin.write(`${order}\n`);
  const answer = async () => (await said.next()).value as string;
  const stat = () => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1] ?? '';
  return {
    pid: child.pid,
    begin,
    answer,
    tell: (order: string) => {
      begin(order);
      return answer();
    },
    hasStopped: async () => {
      for (let look = 0; !stat().startsWith('T'); look++) {
        assert.ok(look < 3000, 'expected it to stand still within half a minute');
        await sleep(10);
      }
    },
    stop: () => child.kill('SIGSTOP'),
    goOn: () => child.kill('SIGCONT'),
    kill: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    },
  };
}

const own = (id: string, line: number) =>
  refusedLine({ id, line, digest: `own${line}`, error: { code: 'ERR_INVALID_LINE', message: 'by this process' } });
async function ids(path: string): Promise<(string | null)[]> {
  const found = [];
  for await (const { id } of readAnswers(path)) found.push(id);
  return found;
}

test('a writer on another machine that lives is refused by its name, or waited for', { skip }, async () => {
  const path = fresh();
  const other = await distant(path);
  try {
    assert.equal(await other.tell('add a'), 'done');
    await assert.rejects(ResultsFile.open({ path, settings, resume: true }), {
      code: 'ERR_RESULTS_LOCKED',
      message: new RegExp(`process ${other.pid} on elsewhere writes it.*waits: true`),
    });
    await assert.rejects(mergeResults({ paths: [path], out: fresh() }), { code: 'ERR_RESULTS_LOCKED' });
    const waited: unknown[] = [];
    const opening = ResultsFile.open({ path, settings, resume: true, waits: true, onWait: (who) => waited.push(who) });
    assert.equal(await other.tell('add b'), 'done');
    for (let look = 0; waited.length < 20; look++) {
      assert.ok(look < 3000, 'expected it to be waited for beyond a lease, which has twelve looks');
      await sleep(20);
    }
    assert.equal(await other.tell('close'), 'done');
    await using results = await opening;
    assert.deepEqual([results.find('a')?.digest, results.find('b')?.digest], ['d1', 'd2']);
    assert.deepEqual(waited[0], { pid: other.pid, host: 'elsewhere', isHere: false });
  } finally {
    await other.kill();
  }
});

test('one that was killed with its machine is followed, without a hand', { skip }, async () => {
  const path = fresh();
  const other = await distant(path);
  assert.equal(await other.tell('add a'), 'done');
  await other.kill();
  const waitedFor: string[] = [];
  const merged = await mergeResults({ paths: [path], out: fresh(), onWait: (of) => waitedFor.push(of) });
  assert.equal(merged.tally.lineCount, 1);
  assert.deepEqual(new Set(waitedFor), new Set([path]));
  await using results = await ResultsFile.open({ path, settings, resume: true });
  await results.add(own('b', 2));
  assert.deepEqual(await ids(path), ['a', 'b']);
});

test('where a lock is looked at before all are joined, it is told of, that of the target too', { skip }, async () => {
  const [path, out] = [fresh(), fresh()] as const;
  await (await ResultsFile.open({ path, settings })).close();
  const other = await distant(out);
  assert.equal(await other.tell('add a'), 'done');
  await other.kill();
  const waitedFor: string[] = [];
  await mergeResults({ paths: [path], out, overwrite: true, onWait: (of) => waitedFor.push(of) });
  assert.deepEqual(waitedFor, Array(12).fill(out));
});

test('one that stood still and goes on writes to nothing that anybody reads, and hears of it', { skip }, async () => {
  const path = fresh();
  const other = await distant(path);
  try {
    assert.equal(await other.tell('add a'), 'done');
    other.stop();
    await using results = await ResultsFile.open({ path, settings, resume: true });
    await results.add(own('b', 2));
    other.begin('add b');
    other.begin('turn');
    other.begin('flush');
    other.goOn();
    await other.answer(); // done, where it has not heard of it yet
    assert.equal(await other.answer(), 'ERR_RESULTS_LOCKED');
    await other.answer();
    await sleep(1000); // a renewal, hastened
    assert.notEqual(await other.tell('add c'), 'done');
    assert.equal(await other.tell('close'), 'ERR_RESULTS_LOCKED');
    await results.add(own('c', 3));
    await results.flush();
    assert.deepEqual(await ids(path), ['a', 'b', 'c']);
    assert.match(readFileSync(path, 'utf8').trimEnd().split('\n')[1] ?? '', /by this process/);
  } finally {
    await other.kill();
  }
});

test('one that stood still between its check and its renaming puts nothing in place of what follows it', {
  skip,
}, async () => {
  const path = fresh();
  const other = await distant(path);
  try {
    for (const order of ['add a', 'add b', 'stop-before-renames']) assert.equal(await other.tell(order), 'done');
    other.begin('turn');
    await other.hasStopped();
    assert.ok(
      readdirSync(folder).some((name) => name.startsWith(`${count}.jsonl.`) && name.endsWith('.draft')),
      'expected it to have its draft ready',
    );
    await using results = await ResultsFile.open({ path, settings, resume: true });
    await results.add(own('c', 3));
    other.goOn();
    assert.equal(await other.answer(), 'ERR_RESULTS_LOCKED');
    await results.add(own('d', 4));
    await results.flush();
    assert.deepEqual(await ids(path), ['a', 'b', 'c', 'd']);
  } finally {
    await other.kill();
  }
});
