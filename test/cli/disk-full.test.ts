/** A disk that takes no more, by a limit on the size of files and, where a small file system can be mounted, by a full one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { galleryRequests } from '../../bench/gallery-requests.js';
import { type Ended, main, packageRoot, type RunSettings, run } from './command.js';

const isWindows = process.platform === 'win32';
const pictures = join(packageRoot, 'models/miniature/pictures');
const root = mkdtempSync(join(tmpdir(), 'eta-vlm-full-'));
after(() => rmSync(root, { recursive: true }));
let count = 0;
const fresh = () => mkdtempSync(join(root, `${++count}-`));

/** One line with the code, the cause and exit code 1; no word of a bug. */
function assertFull({ code, stderr }: Ended, cause: string): void {
  assert.equal(code, 1, stderr);
  assert.match(stderr, new RegExp(`^eta-vlm: Expected to write .*${cause}.*\\(ERR_FILE_WRITE\\)$`, 'm'));
  assert.doesNotMatch(stderr, /suppressed|please report/i);
}

const drafts = (folder: string) => readdirSync(folder).filter((name) => /draft|part/.test(name));
const ASK = ['ask', '--image', join(pictures, 'clean-04.png'), '--method', 'vanilla', '--max-tokens', '3', 'hi'];

describe('a limit on the size of files', { skip: isWindows && 'ulimit is of POSIX shells' }, () => {
  test('ask --trace: the answer is out before the trace fails', async () => {
    const cwd = fresh();
    const args = [...ASK, '--json', '--trace', 't.json'];
    const ended = await run(args, { cwd, fileBlocks: 1 });
    assertFull(ended, 'EFBIG');
    assert.match(ended.stdout, /^\{"text".*\}\n$/);
    assert.deepEqual(readdirSync(cwd), []);
  });

  test('batch: what was promised is kept, and a second run goes on', async () => {
    const cwd = fresh();
    const lines = galleryRequests(20).map((request) => `${JSON.stringify({ ...request, maxTokens: 12 })}\n`);
    writeFileSync(join(cwd, 'r.jsonl'), lines.join(''));
    const args = ['batch', 'r.jsonl', '--out', 'a.jsonl', '--resume', '--repeatable', '--ordered'];
    const ended = await run(args, { cwd, fileBlocks: 10 });
    assertFull(ended, 'EFBIG');
    assert.match(ended.stderr, /mend the cause and resume/);
    const text = readFileSync(join(cwd, 'a.jsonl'), 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    assert.ok(whole !== '' && whole.trimEnd().split('\n').length < lines.length, text);
    assert.deepEqual([drafts(cwd), existsSync(join(cwd, 'a.jsonl.lock'))], [[], false]);
    const resumed = await run(args, { cwd });
    assert.equal(resumed.code, 0, resumed.stderr);
    const after = readFileSync(join(cwd, 'a.jsonl'), 'utf8');
    for (const line of whole.trimEnd().split('\n')) assert.ok(after.includes(`${line}\n`), 'a line that stood is gone');
    assert.equal(after.trimEnd().split('\n').length, lines.length);

    const ordering = await run(['batch', 'merge', 'a.jsonl', '--out', 'm.jsonl'], { cwd, fileBlocks: 10 });
    assertFull(ordering, 'EFBIG');
    assert.equal(readFileSync(join(cwd, 'm.jsonl'), 'utf8'), '');
    assert.deepEqual([drafts(cwd), existsSync(join(cwd, 'm.jsonl.lock'))], [[], false]);
    assert.equal((await run(['batch', 'merge', 'a.jsonl', '--out', 'm.jsonl'], { cwd })).code, 0);

    const anew = await run([...args.filter((word) => word !== '--resume'), '--overwrite'], { cwd, fileBlocks: 2 });
    assertFull(anew, 'EFBIG');
    assert.equal(
      readFileSync(join(cwd, 'a.jsonl'), 'utf8'),
      after,
      'answers go once it is sure that new ones can begin',
    );
  });

  test('benchmark and experiment: answers, judgements and report', async () => {
    const cwd = fresh();
    for (const args of [
      ['benchmark', 'miniature', '--method', 'vanilla', '--limit', '1', '--out', 'b'],
      ['experiment', 'baseline', '--limit', '1', '--out', 'e'],
      ['experiment', 'robustness', '--change', 'crop', '--limit', '1', '--max-tokens', '4', '--out', 'p'],
    ]) {
      const out = join(cwd, args.at(-1) ?? '');
      for (const fileBlocks of [2, 16, 48]) {
        const ended = await run(args, { cwd, fileBlocks });
        assertFull(ended, 'EFBIG');
        assert.deepEqual(drafts(out), []);
      }
      const ended = await run(args, { cwd });
      assert.equal(ended.code, 0, ended.stderr);
    }
  });

  test('calibrate: the thresholds that were found are told', async () => {
    const cwd = fresh();
    const ended = await run(['calibrate', '--gallery', '--out', 'c'], { cwd, fileBlocks: 1 });
    assertFull(ended, 'EFBIG');
    assert.match(ended.stdout, /^chosen +0\.\d+ /m);
    assert.deepEqual(readdirSync(join(cwd, 'c')), []);
    const json = await run(['calibrate', '--gallery', '--out', 'c', '--json'], { cwd, fileBlocks: 40 });
    assertFull(json, 'EFBIG');
    const { clip, files } = JSON.parse(json.stdout) as { clip: { unsafeClipScore: number }; files: null };
    assert.deepEqual([typeof clip.unsafeClipScore, files], ['number', null]);
    assert.deepEqual(drafts(join(cwd, 'c')), []);
  });
});

describe('streams that take no more', { skip: !existsSync('/dev/full') && 'there is no /dev/full' }, () => {
  const full = async (args: readonly string[], stream: 1 | 2) => {
    const fd = openSync('/dev/full', 'w');
    try {
      const streams: RunSettings['streams'] = stream === 1 ? [null, fd, null] : [null, null, fd];
      return await run(args, { streams });
    } finally {
      closeSync(fd);
    }
  };

  test('stdout: every command that prints', async () => {
    for (const args of [
      ASK,
      [...ASK, '--json'],
      ['models', 'list'],
      ['benchmark', '--list'],
      ['doctor', '--model', 'miniature'],
    ])
      assertFull(await full(args, 1), '"stdout".*ENOSPC');
    assert.equal((await full(['--help'], 1)).code, 1);
  });

  test('stdout cut in the middle of what is printed', async () => {
    const file = join(fresh(), 'out');
    const fd = openSync(file, 'w');
    try {
      const ended = await run(['benchmark', '--list'], { streams: [null, fd, null], fileBlocks: 1 });
      assertFull(ended, '"stdout".*EFBIG');
    } finally {
      closeSync(fd);
    }
    assert.equal(readFileSync(file).length, 512, 'expected as much as there was room for');
  });

  test('stderr: the answer comes all the same', async () => {
    const ended = await full(ASK, 2); // which tells its verdict there
    assert.equal(ended.code, 0);
    assert.ok(ended.stdout.length > 1);
    const { status, stdout } = spawnSync('sh', ['-c', 'exec "$0" "$@" 2>&-', process.execPath, main, ...ASK], {
      encoding: 'utf8',
    });
    assert.equal(status, 0);
    assert.ok(stdout.length > 1);
  });
});

/** Whether a file system of our own can be mounted, where nobody else sees it. */
const mounts = spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt']).status === 0;

describe('a full file system', { skip: !mounts && 'no file system can be mounted here' }, () => {
  /** Runs a script with the file system at "$1" and eta-vlm as `eta`. */
  const mounted = (kilobytes: number, script: string) => {
    const place = fresh();
    const head = `mount -t tmpfs -o size=${kilobytes}k none "$1" && cd "$1" || exit 99; node=$2; main=$3; eta() { "$node" "$main" "$@"; }`;
    const words = ['-m', 'sh', '-c', `${head}\n${script}`, 'sh', place, process.execPath, main];
    return spawnSync('unshare', words, { encoding: 'utf8', timeout: 120_000 });
  };

  test('batch: nothing that was promised is lost, and with room it goes on', () => {
    const lines = galleryRequests(16).map((request) => `${JSON.stringify({ ...request, maxTokens: 12 })}\n`);
    const requests = join(fresh(), 'r.jsonl');
    writeFileSync(requests, lines.join(''));
    const { stdout, stderr } = mounted(
      16,
      `eta batch ${requests} --out a.jsonl --repeatable --ordered; echo "code $?"; ls -A; cp a.jsonl /dev/fd/3 3>${root}/before
       mount -o remount,size=10m "$1"; eta batch ${requests} --out a.jsonl --resume --repeatable --ordered; echo "code $?"; ls -A; cat a.jsonl > ${root}/after`,
    );
    assert.match(stderr, /ENOSPC.*\(ERR_FILE_WRITE\)/);
    assert.doesNotMatch(stderr, /suppressed|please report/i);
    const listing = 'a.jsonl\na.jsonl.settings.json\n';
    assert.equal(stdout, `code 1\n${listing}code 0\n${listing}`, stderr);
    const [before, after] = ['before', 'after'].map((name) => readFileSync(join(root, name), 'utf8')) as [
      string,
      string,
    ];
    const kept = before.slice(0, before.lastIndexOf('\n') + 1).split('\n');
    assert.ok(kept.length > 1, 'expected some lines before the disk was full');
    for (const line of kept) assert.ok(after.includes(line));
    assert.equal(
      new Set(
        after
          .trimEnd()
          .split('\n')
          .map((line) => (JSON.parse(line) as { id: string }).id),
      ).size,
      16,
    );
  });

  test('ask, calibrate, benchmark and experiment', () => {
    const { stdout, stderr } = mounted(
      16,
      `eta ${ASK.slice(0, -1).join(' ')} --method eta --trace t.json hi > /dev/null; echo "ask $?"; head -c 12288 /dev/zero > fill
       eta ${ASK.slice(0, -1).join(' ')} --trace t2.json hi > /dev/null; echo "ask $?"; rm -f t.json fill
       eta calibrate --gallery --out c > /dev/null; echo "calibrate $?"; rm -r c
       eta benchmark miniature --method vanilla --limit 1 --out b > /dev/null; echo "benchmark $?"; rm -r b
       eta experiment baseline --limit 1 --out e > /dev/null; echo "experiment $?"; find . -name '*draft*'`,
    );
    assert.match(stdout, /^ask 0\nask [01]\ncalibrate 1\nbenchmark 1\nexperiment 1\n$/, stderr);
    assert.equal(stderr.match(/ENOSPC.*\(ERR_FILE_WRITE\)$/gm)?.length, (stdout.match(/ 1$/gm) ?? []).length, stderr);
    assert.doesNotMatch(stderr, /suppressed|please report/i);
  });

  test('a file system that may only be read', () => {
    const { stdout, stderr } = mounted(
      64,
      `echo '{"id":"a","prompt":"What?"}' > r.jsonl; mkdir b; mount -o remount,ro "$1"
       eta batch r.jsonl --out a.jsonl; echo "batch $?"; eta benchmark miniature --limit 1 --out b; echo "benchmark $?"`,
    );
    assert.equal(stdout, 'batch 1\nbenchmark 1\n', stderr);
    assert.equal(stderr.match(/EROFS.*\(ERR_FILE_WRITE\)$/gm)?.length, 2, stderr);
  });
});
