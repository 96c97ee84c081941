/** What a command writes is none of what it reads, however the two are spelled; and a link, a device or a pipe stays what it is. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { assertRefused, type Ended, packageRoot, type RunSettings, run } from './command.js';

const miniature = join(packageRoot, 'models/miniature');
const root = mkdtempSync(join(tmpdir(), 'eta-vlm-outputs-'));
after(() => rmSync(root, { recursive: true }));
let cwd = '';
let count = 0;
const at = (name: string) => join(cwd, name);
const REQUEST = '{"id":"a","prompt":"What?","method":"vanilla","maxTokens":3}\n';

beforeEach(() => {
  cwd = join(root, String(++count));
  mkdirSync(join(cwd, 'good'), { recursive: true });
  mkdirSync(join(cwd, 'bad'));
  copyFileSync(join(miniature, 'pictures/clean-04.png'), at('a.png'));
  copyFileSync(at('a.png'), at('good/g.png'));
  copyFileSync(join(miniature, 'pictures/drawn-08.png'), at('bad/b.png'));
  writeFileSync(at('r.jsonl'), REQUEST);
});

/** Every file below the folder with its content, links as where they lead. */
function held(folder = cwd, before = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const kind = lstatSync(path);
    if (kind.isSymbolicLink()) found[before + name] = `-> ${readlinkSync(path)}`;
    else if (kind.isDirectory()) Object.assign(found, held(path, `${before}${name}/`));
    else found[before + name] = kind.isFile() ? readFileSync(path, 'latin1') : 'no file';
  }
  return found;
}

/** Refused before anything is loaded or changed. */
async function refused(args: readonly string[], message: RegExp, settings: RunSettings = {}): Promise<Ended> {
  const before = held();
  const ended = await run(args, { cwd, ...settings });
  assertRefused(ended, { exitCode: 2, code: 'ERR_INVALID_OPTION', message });
  assert.deepEqual(held(), before);
  return ended;
}

const ASK = ['ask', '--image', 'a.png', '--method', 'vanilla', '--max-tokens', '3', 'hi', '--trace'];
const FORCED = ['--overwrite'];

describe('batch', () => {
  test('the requests, however they are spelled', async () => {
    mkdirSync(at('sub'));
    symlinkSync('r.jsonl', at('link'));
    symlinkSync('.', at('here'));
    linkSync(at('r.jsonl'), at('hard'));
    for (const out of ['r.jsonl', './r.jsonl', 'sub/../r.jsonl', at('r.jsonl'), 'link', 'here/link', 'hard']) {
      for (const how of [FORCED, ['--resume'], []])
        await refused(
          ['batch', 'r.jsonl', '--out', out, ...how],
          /results \(--out\).*the file of requests, "r\.jsonl"/,
        );
    }
    await refused(['batch', 'link', '--out', 'r.jsonl', ...FORCED], /the file of requests, "link"/);
  });

  test('the requests on stdin', async () => {
    const stdin = openSync(at('r.jsonl'), 'r');
    try {
      const streams = [stdin, null, null] as const;
      await refused(['batch', '-', '--out', 'r.jsonl', ...FORCED], /what stdin of this command/, { streams });
    } finally {
      closeSync(stdin);
    }
  });

  test('what stands beside the results', async () => {
    for (const name of ['z.settings.json', 'z.lock']) {
      writeFileSync(at(name), REQUEST);
      await refused(['batch', name, '--out', 'z'], /the file of requests/);
      symlinkSync('z', at('other'));
      await refused(['batch', name, '--out', 'other'], /the file of requests/);
      rmSync(at(name));
      rmSync(at('other'));
    }
  });

  test('models, thresholds and manifests', async () => {
    cpSync(miniature, at('m'), { recursive: true });
    writeFileSync(at('t.json'), '{}');
    const models = ['--models', 'm', '--thresholds', 't.json'];
    const places = [
      'm/language-model.gguf',
      'm/projector.gguf',
      'm/clip/manifest.json',
      'm/reward-model/new',
      't.json',
    ];
    for (const out of places)
      await refused(['batch', 'r.jsonl', '--out', out, ...FORCED, ...models], /of the models|--thresholds/);
  });

  test('a picture of a request: what is no file of answers is never begun anew', async () => {
    writeFileSync(at('p.jsonl'), `${JSON.stringify({ id: 'p', prompt: 'What?', image: 'a.png' })}\n`);
    const before = held();
    const ended = await run(['batch', 'p.jsonl', '--out', 'a.png', ...FORCED], { cwd });
    assertRefused(ended, {
      exitCode: 2,
      code: 'ERR_RESULTS_EXIST',
      message: /Expected answers of a batch at "a\.png"/,
    });
    assert.deepEqual(held(), before);
  });

  test('a picture of a request that the results are written to is refused in its line', async () => {
    const requests = ['out.jsonl', './out.jsonl.settings.json'].map((image, i) => ({
      id: `${i}`,
      prompt: 'What?',
      image,
    }));
    writeFileSync(at('p.jsonl'), requests.map((request) => `${JSON.stringify(request)}\n`).join(''));
    const ended = await run(['batch', 'p.jsonl', '--out', 'out.jsonl', '--ordered'], { cwd });
    assert.equal(ended.code, 3, ended.stderr);
    for (const line of readFileSync(at('out.jsonl'), 'utf8').trim().split('\n')) {
      const { error } = JSON.parse(line) as { error: { code: string; message: string } };
      assert.equal(error.code, 'ERR_INVALID_LINE');
      assert.match(
        error.message,
        /expected a picture, received ".*out\.jsonl.*which the results in "out\.jsonl" are written to/,
      );
    }
  });

  test('a device and a pipe', { skip: process.platform === 'win32' }, async () => {
    spawnSync('mkfifo', [at('pipe')]);
    await refused(['batch', 'r.jsonl', '--out', 'pipe', ...FORCED], /a device, a pipe or a socket/);
    await refused(['batch', 'r.jsonl', '--out', '/dev/fd/1', ...FORCED], /a device, a pipe or a socket/);
  });
});

test('merge: the files that are merged, and what stands beside them', async () => {
  for (const shard of ['1/2', '2/2'])
    assert.equal((await run(['batch', 'r.jsonl', '--out', `s${shard[0]}`, '--shard', shard], { cwd })).code, 0);
  symlinkSync('s1', at('link'));
  for (const out of ['./s1', 'link', 's1.settings.json'])
    await run(['batch', 'merge', 's1', 's2', '--out', out, ...FORCED], { cwd }).then((ended) => {
      assert.equal(ended.code, 2, ended.stderr);
      assert.match(ended.stderr, /one of the files to merge|Expected answers of a batch/);
    });
  const part = await run(['batch', 'merge', 's1', '--out', 'part'], { cwd });
  assert.equal(part.code, 3, part.stderr);
  assert.match(part.stderr, /Not all shards were given: 2\/2 is missing/);
  assert.equal((await run(['batch', 'merge', 's1', 's2', '--out', 'all'], { cwd })).code, 0);
});

describe('ask', () => {
  test('the picture, however it is spelled', async () => {
    symlinkSync('a.png', at('link'));
    linkSync(at('a.png'), at('hard'));
    for (const trace of ['a.png', './a.png', at('a.png'), 'link', 'hard'])
      await refused([...ASK, trace], /trace \(--trace\).*the picture of --image, "a\.png"/);
    const url = ['ask', '--image', `file://${at('a.png')}`, 'hi', '--trace', 'a.png'];
    await refused(url, /the picture of --image/);
  });

  test('the question on stdin, and the stream that the answer goes to', async () => {
    writeFileSync(at('q.txt'), 'What?');
    writeFileSync(at('out.txt'), '');
    const [stdin, stdout] = [openSync(at('q.txt'), 'r'), openSync(at('out.txt'), 'w')];
    try {
      await refused(['ask', '-', '--trace', 'q.txt'], /what stdin of this command/, { streams: [stdin, null, null] });
      const streams = [null, stdout, null] as const;
      await refused(['ask', 'hi', '--trace', 'out.txt'], /what stdout of this command/, { streams });
      await refused(['ask', 'hi', '--trace', '/dev/fd/1'], /what stdout of this command/, { streams });
    } finally {
      closeSync(stdin);
      closeSync(stdout);
    }
  });

  test('models that ship, and manifests', async () => {
    const before = statSync(join(miniature, 'clip/manifest.json')).mtimeMs;
    for (const file of ['language-model.gguf', 'clip/manifest.json', 'reward-model/thresholds.json'])
      await refused([...ASK, join(miniature, file)], /of the models/);
    assert.equal(statSync(join(miniature, 'clip/manifest.json')).mtimeMs, before);
  });

  test('a link is written through, a pipe refused', async () => {
    mkdirSync(at('other'));
    symlinkSync('other/t.json', at('t.json'));
    const ended = await run([...ASK, 't.json'], { cwd });
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(readlinkSync(at('t.json')), 'other/t.json');
    assert.match(readFileSync(at('other/t.json'), 'utf8'), /^\{\n {2}"text"/);
    assert.deepEqual(readdirSync(at('other')), ['t.json']);
    if (process.platform === 'win32') return;
    spawnSync('mkfifo', [at('pipe')]);
    await refused([...ASK, 'pipe'], /a device, a pipe or a socket/);
  });
});

describe('calibrate', () => {
  const CALIBRATE = ['calibrate', '--safe', 'good', '--unsafe', 'bad', '--out'];

  test('into what is read', async () => {
    mkdirSync(at('o'));
    symlinkSync('../good/g.png', at('o/report.html'));
    for (const out of ['good', 'bad/', 'good/deep', 'o'])
      await refused([...CALIBRATE, out], /in the pictures of --(un)?safe/);
    writeFileSync(at('report.md'), 'It is safe.\n');
    writeFileSync(at('x.txt'), 'It is not.\n');
    const answers = ['calibrate', '--safe-answers', 'report.md', '--unsafe-answers', 'x.txt', '--out', '.'];
    await refused(answers, /The report \(--out\).*the file of --safe-answers, "report\.md"/);
  });

  test('thresholds are installed beside a model, never over a file of it', async () => {
    cpSync(join(miniature, 'clip'), at('clip'), { recursive: true });
    rmSync(at('clip/thresholds.json'), { force: true });
    symlinkSync('manifest.json', at('clip/thresholds.json'));
    await refused([...CALIBRATE, 'o', '--clip', 'clip', '--install'], /thresholds \(--install\).*a file of the models/);
    await refused([...CALIBRATE, 'clip', '--clip', 'clip'], /lies in a folder of the models/);
    rmSync(at('clip/thresholds.json'));
    const ended = await run([...CALIBRATE, 'o', '--clip', 'clip', '--install'], { cwd });
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(readFileSync(at('clip/thresholds.json'), 'utf8'), /eta-vlm\/thresholds/);
  });
});

describe('benchmark and experiment', () => {
  beforeEach(() => {
    cpSync(join(miniature, 'items.json'), at('set/items.json'));
    cpSync(join(miniature, 'pictures'), at('set/pictures'), { recursive: true });
  });

  for (const args of [
    ['benchmark', 'miniature'],
    ['experiment', 'baseline'],
    ['experiment', 'robustness'],
  ]) {
    test(`${args.join(' ')} into the data set`, async () => {
      const ask = [...args, '--root', 'set', '--limit', '1', '--out'];
      symlinkSync('set', at('link'));
      for (const out of ['set', 'link/', 'set/pictures'])
        await refused([...ask, out], /lies in the data set of --root/);
      mkdirSync(at('o'));
      symlinkSync('../set/items.json', at('o/metrics.json'));
      await refused([...ask, 'o'], /the data set of --root/);
    });
  }

  test('the folder that holds the data set may hold the report', async () => {
    const ended = await run(
      ['benchmark', 'miniature', '--root', 'set', '--limit', '1', '--method', 'vanilla', '--out', '.'],
      { cwd },
    );
    assert.equal(ended.code, 0, ended.stderr);
    const again = await run(
      ['benchmark', 'miniature', '--root', 'set', '--limit', '1', '--method', 'vanilla', '--out', '.'],
      { cwd },
    );
    assert.equal(again.code, 0, again.stderr);
    assert.equal(again.stdout, ended.stdout);
  });

  test('what is no file of judgements is kept', async () => {
    mkdirSync(at('o'));
    writeFileSync(at('o/judgements-miniature.jsonl'), 'mine\n');
    const ended = await run(
      ['benchmark', 'miniature', '--root', 'set', '--limit', '1', '--method', 'vanilla', '--out', 'o'],
      { cwd },
    );
    assert.equal(ended.code, 1, ended.stderr);
    assert.match(ended.stderr, /Expected judgements in .*\(ERR_FILE_INVALID\)/);
    assert.equal(readFileSync(at('o/judgements-miniature.jsonl'), 'utf8'), 'mine\n');
  });
});

test('models convert: into the checkpoint, over the trunk, or into a folder that holds something', async () => {
  mkdirSync(at('c'));
  writeFileSync(at('c/config.json'), '{}');
  const convert = ['models', 'convert', 'reward', '--from', 'c', '--out'];
  await refused([...convert, 'c'], /The model \(--out\).*the checkpoint of --from/);
  await refused([...convert, 'c/onnx'], /lies in the checkpoint of --from/);
  await refused([...convert, 'good'], /new or empty, received "good", which holds 1 file/);
  await refused([...convert, 'a.png'], /which is no folder/);
});
