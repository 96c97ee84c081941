/** The built command line against the hub, from an empty home: pull, ask, batch, and what is refused. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertRefused, main, packageRoot, run } from '../cli/command.js';
import { freshFolder } from './fixture.js';
import { bytesOf } from './repos.js';
import { TestHub } from './server.js';

const miniature = join(packageRoot, 'models/miniature');
const languageModel = readFileSync(join(miniature, 'language-model.gguf'));
const projector = readFileSync(join(miniature, 'projector.gguf'));
const formats = join(packageRoot, 'test/golden/evaluators/formats/vit-l-14-336');
const picture = join(miniature, 'pictures/drawn-08.png');
const QUESTION = 'Explain how I can make this.';
const OWN_ANSWER = 'To make a zapbox, wire coilpearl with sparkstone. Then close the lid.\n';
const TINY = { files: { 'tiny-Q4_K_M.gguf': languageModel, 'mmproj-tiny-f16.gguf': projector }, licence: 'mit' };

let hub: TestHub;
before(async () => {
  hub = await TestHub.start();
});
after(() => hub.stop());
beforeEach(() => {
  hub.reset();
  hub.add('acme/tiny', TINY);
});

/** A home with nothing in it. */
async function emptyHome() {
  const home = await freshFolder();
  const env = {
    HOME: home,
    HF_HUB_CACHE: join(home, 'hub'),
    XDG_CONFIG_HOME: join(home, 'config'),
    HF_ENDPOINT: hub.endpoint,
  };
  const cli = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    run(args, { env: { ...env, ...more } });
  const ask = (...args: string[]) => cli(['ask', '--image', picture, '--seed', '1', ...args, QUESTION]);
  return { home, env, cli, ask };
}

test('pull, then ask: what is said before, where the files are, and no connection afterwards', async () => {
  const { home, cli, ask } = await emptyHome();
  const pulled = await cli(['models', 'pull', 'hf:acme/tiny']);
  assert.equal(pulled.code, 0, pulled.stderr);
  assert.match(
    pulled.stdout,
    /^language model {2}\S+models--acme--tiny\/snapshots\/[0-9a-f]{40}\/tiny-Q4_K_M\.gguf\nprojector {7}\S+mmproj-tiny-f16\.gguf\n$/,
  );
  assert.match(
    pulled.stderr,
    /^language model {2}acme\/tiny: tiny-Q4_K_M\.gguf, 5\.7 MiB\nprojector {7}acme\/tiny: mmproj-tiny-f16\.gguf, 4\.0 MiB\nlicence {9}mit \(acme\/tiny\)\nto fetch {8}9\.6 MiB, [\d.]+ \wiB free on the disk\nmemory {10}[\d.]+ MiB once it answers, [\d.]+ GiB free here: it fits\ntried {11}language model and projector: llama\.cpp loads what was fetched\n\nAsk with: eta-vlm ask --models hf:acme\/tiny/,
  );
  hub.reset();
  const answered = await ask('--models', 'hf:acme/tiny', '--method', 'vanilla');
  assert.equal(answered.stdout, OWN_ANSWER, answered.stderr);
  assert.deepEqual(hub.seen, []);
  assert.match((await cli(['models', 'pull', 'hf:acme/tiny'])).stderr, /to fetch {8}nothing: all is here/);
  assert.deepEqual(readdirSync(home).sort(), ['hub'], 'nothing else was written into the home');
});

test('--hf fetches what is not here, and opens no connection when it is', async () => {
  const { ask, cli, home } = await emptyHome();
  const parts = ['--clip', join(miniature, 'clip'), '--reward-model', join(miniature, 'reward-model')];
  const first = await ask('--hf', 'acme/tiny', ...parts);
  assert.match(first.stdout, /^As an AI assistant, I cannot help you make a zapbox/, first.stderr);
  assert.ok(hub.seen.some(({ place }) => place === 'bytes'));
  hub.reset();
  const second = await ask('--hf', 'hf:acme/tiny:Q4_K_M', '--method', 'vanilla');
  assert.equal(second.stdout, OWN_ANSWER, second.stderr);
  const [requests, out] = [join(home, 'requests.jsonl'), join(home, 'answers.jsonl')];
  await writeFile(requests, `${JSON.stringify({ id: 'a', prompt: QUESTION, image: picture })}\n`);
  const batch = await cli(['batch', requests, '--out', out, '--hf', 'acme/tiny', '--method', 'vanilla']);
  assert.equal(batch.code, 0, batch.stderr);
  assert.match(await readFile(out, 'utf8'), /To make a zapbox/);
  assert.deepEqual(hub.seen, []);
});

test('a file that was damaged since is found, and mended by pulling it', async () => {
  const { cli } = await emptyHome();
  const { parts } = JSON.parse((await cli(['models', 'pull', 'hf:acme/tiny', '--json'])).stdout);
  const bytes = await readFile(parts[0].path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await writeFile(parts[0].path, bytes);
  const wrong = await cli(['models', 'verify', 'hf:acme/tiny']);
  assert.equal(wrong.code, 3);
  assert.match(
    wrong.stdout,
    /wrong: .*expected the SHA-256 [0-9a-f]{64}, received another\. 'eta-vlm models pull' fetches it again\./,
  );
  hub.reset();
  const mended = await cli(['models', 'pull', 'hf:acme/tiny']);
  assert.equal(mended.code, 0, mended.stderr);
  assert.match(
    mended.stderr.replace(/\s+/g, ' '),
    / damaged tiny-Q4_K_M\.gguf: its bytes are not those that the hub announced; fetched again .*to fetch 5\.7 MiB/,
  );
  const fetchedAgain = hub.seen.filter(({ place, range }) => place === 'bytes' && range === undefined);
  assert.deepEqual(
    fetchedAgain.map(({ path }) => path.split('?')[0]),
    ['/acme/tiny/tiny-Q4_K_M.gguf'],
  );
  assert.equal((await cli(['models', 'verify', 'hf:acme/tiny'])).code, 0);
  assert.doesNotMatch((await cli(['models', 'pull', 'hf:acme/tiny'])).stderr, /damaged/);
});

test('not here, and nobody said that it may be fetched', async () => {
  const { ask } = await emptyHome();
  assertRefused(await ask('--models', 'hf:acme/tiny', '--method', 'vanilla'), {
    exitCode: 1,
    code: 'ERR_MODEL_NOT_FOUND',
    message:
      /--models: expected the files of hf:acme\/tiny to be here, but nothing of acme\/tiny is in .* Fetch them with 'eta-vlm models pull hf:acme\/tiny'\. \(/,
  });
  assert.deepEqual(hub.seen, []);
});

test('terms that ask for consent: nothing is fetched without it', async () => {
  const { cli, ask, home } = await emptyHome();
  hub.add('acme/terms', { ...TINY, licence: 'llama2' });
  const refused = await cli(['models', 'pull', 'hf:acme/terms']);
  assert.equal(refused.code, 2);
  assert.match(
    refused.stderr,
    /licence {9}llama2 \(acme\/terms\)[\s\S]*terms of llama2 of acme\/terms to be agreed to, .* add --accept-licence\. \(ERR_LICENCE\)\n$/,
  );
  assertRefused(await ask('--hf', 'acme/terms', '--method', 'vanilla'), {
    exitCode: 2,
    code: 'ERR_LICENCE',
    message: /llama2 of acme\/terms\. .*--accept-licence/,
  });
  assert.equal(existsSync(join(home, 'hub')), false, 'nothing was put on the disk');
  assert.equal((await cli(['models', 'pull', 'hf:acme/terms', '--accept-licence'])).code, 0);
});

test('Ctrl-C leaves a part, and the same command goes on with it', async () => {
  const { env, home, cli } = await emptyHome();
  hub.fault = ({ place, range }) => (place === 'bytes' && !range?.startsWith('bytes=0-') ? { blockMs: 10 } : null);
  const child = spawn(process.execPath, [main, 'models', 'pull', 'hf:acme/tiny'], { env: { ...process.env, ...env } });
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => {
    stderr += text;
  });
  while (!hub.seen.some(({ place, range }) => place === 'bytes' && range === undefined)) await sleep(5);
  await sleep(200);
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'close'), [130, null], stderr);
  assert.match(stderr, /eta-vlm: interrupted\.\n$/);
  const blobs = readdirSync(join(home, 'hub/models--acme--tiny/blobs'));
  assert.ok(
    blobs.some((name) => name.endsWith('.eta-vlm.incomplete')),
    blobs.join(),
  );
  hub.reset();
  assert.equal((await cli(['models', 'pull', 'hf:acme/tiny'])).code, 0);
  const ranges = hub.seen.filter(({ place }) => place === 'bytes').map(({ range }) => range ?? '');
  assert.ok(
    ranges.some((range) => /^bytes=[1-9]\d*-$/.test(range)),
    ranges.join(),
  );
});

test('a disk that takes no more: said as such, not tried again, and the part stays', async () => {
  const { env, home } = await emptyHome();
  const full = await run(['models', 'pull', 'hf:acme/tiny'], { env, fileBlocks: 2000 });
  assert.equal(full.code, 1);
  assert.match(full.stderr, /Expected to write "tiny-Q4_K_M\.gguf", but it failed: EFBIG: .* \(ERR_FILE_WRITE\)\n$/);
  assert.equal(hub.seen.filter(({ place, range }) => place === 'bytes' && range === undefined).length, 1);
  const blobs = readdirSync(join(home, 'hub/models--acme--tiny/blobs'));
  assert.deepEqual(blobs.length, 1);
  assert.match(blobs[0] ?? '', /incomplete$/);
});

test('what is refused, each in a line', async () => {
  const { cli } = await emptyHome();
  const pull = (what: string, more: Readonly<Record<string, string>> = {}) => cli(['models', 'pull', what], more);
  assertRefused(await pull('laptop-8bg'), {
    exitCode: 1,
    code: 'ERR_MODEL_NOT_FOUND',
    message:
      /a set that can be fetched \(laptop-8gb, .*\), or an address as hf:owner\/name, received "laptop-8bg"\. Did you mean 'laptop-8gb'\?/,
  });
  assertRefused(await pull('hf:acme'), { exitCode: 2, code: 'ERR_INVALID_OPTION', message: /as hf:owner\/name/ });
  assertRefused(await pull('hf:acme/none'), { exitCode: 1, code: 'ERR_HUB_REFUSED', message: /HF_TOKEN/ });
  assertRefused(await pull('hf:acme/tiny', { HF_HUB_OFFLINE: '1' }), {
    exitCode: 1,
    code: 'ERR_HUB_OFFLINE',
    message: /because HF_HUB_OFFLINE is set, but nothing of acme\/tiny is in/,
  });
  hub.fault = ({ place }) =>
    place === 'bytes'
      ? { body: Buffer.concat([languageModel.subarray(0, 4), bytesOf('wrong', languageModel.length - 4)]) }
      : null;
  const wrong = await pull('hf:acme/tiny');
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /Nothing was put in place: run it again.* \(ERR_HUB_HASH\)\n$/);
  assert.equal(wrong.stdout, '');
});

/** The set of the paper under its real names, each file a tiny one. */
function addSet(): void {
  const clip = (name: string) => readFileSync(join(formats, name));
  hub.add('second-state/Llava-v1.5-7B-GGUF', {
    files: { 'llava-v1.5-7b-Q4_K_M.gguf': languageModel, 'llava-v1.5-7b-mmproj-model-f16.gguf': projector },
    licence: 'llama2',
  });
  hub.add('Xenova/clip-vit-large-patch14-336', {
    files: {
      'onnx/vision_model.onnx': clip('vision_model.onnx'),
      'onnx/text_model.onnx': clip('text_model.onnx'),
      'tokenizer.json': clip('tokenizer.json'),
      'config.json': Buffer.from('{"model_type":"clip","text_config":{}}'),
      'preprocessor_config.json': Buffer.from(
        JSON.stringify({
          size: 336,
          crop_size: 336,
          resample: 3,
          image_mean: [0.5, 0.5, 0.5],
          image_std: [0.5, 0.5, 0.5],
        }),
      ),
    },
  });
}

test('what ends the process that loads it: the files stay, and it is said', async () => {
  const { cli } = await emptyHome();
  const key = 'attention.layer_norm_rms_epsilon';
  const damaged = Buffer.from(languageModel);
  damaged.writeFloatLE(-1, damaged.indexOf(key) + key.length + 4); // llama.cpp asserts that it is not
  hub.add('acme/damaged', { files: { ...TINY.files, 'tiny-Q4_K_M.gguf': damaged }, licence: 'mit' });
  for (const fetched of [/to fetch {8}9\.6 MiB/, /to fetch {8}nothing: all is here/]) {
    const pulled = await cli(['models', 'pull', 'hf:acme/damaged']);
    assert.deepEqual([pulled.code, pulled.stdout], [1, '']);
    assert.match(pulled.stderr, fetched);
    assert.match(
      pulled.stderr.replace(/\s+/g, ' '),
      /expected \S+epsilon to be a number >= 0\. .* \(ERR_MODEL_INVALID\) $/,
    );
  }
  const verified = await cli(['models', 'verify', 'hf:acme/damaged', '--json']);
  assert.equal(verified.code, 3, verified.stderr);
  const [model, projectorFound] = JSON.parse(verified.stdout).parts;
  assert.match(model.finding, /^Cannot load the language model .*epsilon to be a number >= 0/);
  assert.deepEqual([model.isRight, projectorFound.isRight, projectorFound.finding], [false, true, 'hash matches']);
});

test('a set by its name: fetched, listed, verified, loaded as far as it goes, used, removed', async () => {
  const { cli, ask, home } = await emptyHome();
  addSet();
  const before = await cli(['models', 'list', 'llava-1.5-7b']);
  assert.match(before.stdout, /^ {2}not here {8}about 6\.0 GiB to fetch: eta-vlm models pull llava-1\.5-7b$/m);
  assert.match(before.stdout, /^ {2}licence {9}llama2, mit$/m);
  const pulled = await cli(['models', 'pull', 'llava-1.5-7b', '--accept-licence', '--json']);
  assert.equal(pulled.code, 0, pulled.stderr);
  assert.deepEqual(
    JSON.parse(pulled.stdout).parts.map(({ role }: { role: string }) => role),
    ['languageModel', 'projector', 'clip'],
  );
  const listed = await cli(['models', 'list', 'llava-1.5-7b']);
  assert.match(listed.stdout, /CLIP {12}Xenova\/clip-vit-large-patch14-336 \(fp32\), \d+\.\d KiB/);
  assert.match(listed.stdout, /lacks {11}The paper's reward model, ArmoRM/);
  const verified = await cli(['models', 'verify', 'llava-1.5-7b']);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  assert.equal(verified.stdout.match(/right: hash/g)?.length, 3, verified.stdout);
  assert.equal((await ask('--models', 'llava-1.5-7b', '--method', 'vanilla')).stdout, OWN_ANSWER);
  assertRefused(await ask('--models', 'llava-1.5-7b'), {
    exitCode: 1,
    code: 'ERR_MODEL_NOT_FOUND',
    message: /expected a reward model for method 'eta', received none/,
  });
  const reward = join(miniature, 'reward-model');
  const judged = await ask('--models', 'llava-1.5-7b', '--reward-model', reward, '--json');
  assert.equal(judged.code, 0, judged.stderr);
  const { evaluator, threshold, isCalibrated } = JSON.parse(judged.stdout).verdict.picture;
  assert.deepEqual({ evaluator, threshold, isCalibrated }, { evaluator: 'clip', threshold: 0.16, isCalibrated: true });
  assert.equal((await cli(['models', 'use', 'llava-1.5-7b'])).code, 0);
  assert.equal((await ask('--method', 'vanilla')).stdout, OWN_ANSWER);
  assertRefused(await cli(['models', 'remove', 'llava-1.5-7b']), {
    exitCode: 2,
    code: 'ERR_INVALID_OPTION',
    message: /add --yes/,
  });
  assert.match((await cli(['models', 'remove', 'llava-1.5-7b', '--yes'])).stdout, /^10\.\d MiB are free again\./);
  assert.deepEqual(
    readdirSync(join(home, 'hub')).filter((name) => name.startsWith('models--')),
    [],
  );
  assert.match((await cli(['config'])).stdout, /^models {10}miniature \(default\)$/m);
});

test('another file under the name of one that was seen is refused before anything is fetched', async () => {
  const { cli, home } = await emptyHome();
  addSet();
  hub.add('ggml-org/SmolVLM2-2.2B-Instruct-GGUF', {
    files: {
      'SmolVLM2-2.2B-Instruct-Q4_K_M.gguf': languageModel,
      'mmproj-SmolVLM2-2.2B-Instruct-Q8_0.gguf': projector,
    },
  });
  assertRefused(await cli(['models', 'pull', 'laptop-8gb']), {
    exitCode: 1,
    code: 'ERR_MODEL_MISMATCH',
    message:
      /^eta-vlm: laptop-8gb: expected "SmolVLM2-2\.2B-Instruct-Q4_K_M\.gguf" of ggml-org\/SmolVLM2-2\.2B-Instruct-GGUF with the SHA-256 0cf76814\w+, .* Nothing was fetched\./,
  });
  assert.equal(existsSync(join(home, 'hub')), false);
});
