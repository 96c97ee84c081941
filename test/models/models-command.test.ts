/** `eta-vlm models list` and `verify`, with what is right and what is not. */
import assert from 'node:assert/strict';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assertRefused, packageRoot, run } from '../cli/command.js';

const formats = join(packageRoot, 'test/golden/evaluators/formats');
const trunks = join(packageRoot, 'test/golden/reward-trunk');
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eta-models-'));
});
after(() => rm(folder, { recursive: true }));

/** A copy of a model that `change` has touched. */
async function changed(name: string, change: (folder: string) => Promise<void>, from = formats): Promise<string> {
  const copy = await mkdtemp(join(folder, `${name}-`));
  await cp(join(from, name), copy, { recursive: true });
  await change(copy);
  return copy;
}

test('list: what is known by name, with sizes and thresholds', async () => {
  const { code, stdout, stderr } = await run(['models', 'list']);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^miniature \(in use\)$/m);
  assert.match(stdout, /^ {2}language model {2}language-model\.gguf, [\d.]+ MiB$/m);
  assert.match(stdout, /unsafe from 0\.\d+ on \(manifest\)/);
  assert.match(stdout, /safe above -?[\d.]+ \(manifest\)/);
  const { models } = JSON.parse((await run(['models', 'list', '--json'])).stdout);
  assert.deepEqual(
    models[0].parts.map(({ kind }: { kind: string }) => kind),
    ['language-model', 'projector', 'clip', 'reward-model'],
  );
});

test('list: a converted folder says how its weights are stored and that it has no threshold', async () => {
  const { code, stdout } = await run(['models', 'list', join(formats, 'armorm-int4')]);
  assert.equal(code, 0);
  assert.match(stdout, /reward model {4}armorm-int4, [\d.]+ KiB, int4/);
  assert.match(stdout, /no threshold: find one with eta-vlm calibrate/);
});

test('list and verify: a name that is not known', async () => {
  for (const command of ['list', 'verify']) {
    const { code, stderr } = await run(['models', command, 'minature']);
    assert.equal(code, 1);
    assert.match(stderr, /Did you mean 'miniature'\? \(ERR_MODEL_NOT_FOUND\)/);
  }
});

test('verify: what ships is right, and how far off it is', async () => {
  const { code, stdout, stderr } = await run(['models', 'verify', '--json']);
  assert.deepEqual([code, stderr], [0, '']);
  const { parts } = JSON.parse(stdout);
  assert.equal(parts.length, 4);
  for (const { name, isRight, finding, selfTest } of parts) {
    assert.ok(isRight, `${name}: ${finding}`);
    if (selfTest !== null) assert.ok(selfTest.difference < 1e-5 && selfTest.count >= 3, `${name}: ${finding}`);
  }
});

const WRONG: readonly (readonly [
  what: string,
  model: string,
  change: (folder: string) => Promise<void>,
  finding: RegExp,
])[] = [
  ['a file is missing', 'armorm', (path) => rm(join(path, 'tokenizer.json')), /tokenizer\.json.*there is none/],
  [
    'a graph is cut short',
    'vit-l-14-336',
    (path) => truncate(join(path, 'text_model.onnx'), 5000),
    /expected \d+ bytes, received 5000/,
  ],
  [
    'a byte is another',
    'deberta',
    async (path) => {
      const graph = await readFile(join(path, 'model.onnx'));
      graph[graph.length >> 1] = (graph[graph.length >> 1] ?? 0) ^ 1;
      await writeFile(join(path, 'model.onnx'), graph);
    },
    /expected the SHA-256 [0-9a-f]{64}, received/,
  ],
  [
    'a graph is cut short and its manifest fitted',
    'armorm',
    async (path) => {
      const graph = (await readFile(join(path, 'model.onnx'))).subarray(0, 5000);
      await writeFile(join(path, 'model.onnx'), graph);
      const { createHash } = await import('node:crypto');
      await edit(path, (manifest) => {
        manifest.files.graph.sizeBytes = 5000;
        manifest.files.graph.sha256 = createHash('sha256').update(graph).digest('hex');
      });
    },
    /expected an ONNX graph, but it does not load/,
  ],
  [
    'the manifest is no JSON',
    'siglip2',
    (path) => writeFile(join(path, 'manifest.json'), '{"eta-vlm/clip"'),
    /expected JSON/,
  ],
  ['the manifest lacks a field', 'armorm', (path) => edit(path, (manifest) => delete manifest.maxTokens), /maxTokens/],
  ['the manifest has a field too many', 'siglip2', (path) => edit(path, (m) => (m.vision.sise = 1)), /sise/],
  [
    'the manifest is of another model',
    'skywork-qwen3',
    async (path) =>
      writeFile(join(path, 'manifest.json'), await readFile(join(formats, 'skywork-llama/manifest.json'))),
    /expected \d+ bytes|SHA-256/,
  ],
  [
    'a score is another than the model gives',
    'skywork-llama',
    (path) => edit(path, (manifest) => (manifest.selfTest[1].score += 0.25)),
    /expected the reward .* received .*: off by 0\.250\./,
  ],
  [
    'a cosine is another than the model gives',
    'mobileclip',
    (path) => edit(path, (manifest) => (manifest.selfTest[4].cosine -= 0.01)),
    /expected the cosine .* of a text and a picture .*: off by 0\.0100\./,
  ],
];

async function edit(path: string, change: (manifest: ReturnType<typeof JSON.parse>) => void): Promise<void> {
  const file = join(path, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8'));
  change(manifest);
  await writeFile(file, JSON.stringify(manifest));
}

test('verify: each way of being wrong is named, the others are checked all the same', async () => {
  const copies = [];
  for (const [, model, change] of WRONG) copies.push(await changed(model, change));
  const { code, stdout } = await run(['models', 'verify', '--json', ...copies, join(formats, 'armorm')]);
  assert.equal(code, 3);
  const { parts } = JSON.parse(stdout);
  for (const [at, [what, , , finding]] of WRONG.entries()) {
    assert.equal(parts[at].isRight, false, what);
    assert.match(parts[at].finding, finding, what);
  }
  assert.equal(parts.at(-1).isRight, true);
  const alone = await run(['models', 'verify', copies[0] ?? '']);
  assert.equal(alone.code, 1);
  assert.match(alone.stdout, /^ +wrong: /m);
});

test('verify: a reward model with a trunk, which llama.cpp runs', async () => {
  const wrong = await changed(
    'scalar',
    (path) => edit(path, (manifest) => (manifest.selfTest[2].score += 0.25)),
    trunks,
  );
  const { code, stdout, stderr } = await run(['models', 'verify', '--json', join(trunks, 'gated'), wrong]);
  assert.deepEqual([code, stderr], [3, '']);
  const [right, other] = JSON.parse(stdout).parts;
  assert.ok(right.isRight, right.finding);
  assert.ok(right.selfTest.count === 4 && right.selfTest.difference < 1e-3, right.finding);
  assert.equal(other.isRight, false);
  assert.match(other.finding, /expected the reward .* received .*: off by 0\.250\./);
});

/** What `models convert` says of the scalar trunk, with `made` in place of what Python would write. */
async function convertTrunk(trunk: string, made: string, ...more: string[]) {
  const work = await mkdtemp(join(folder, 'convert-'));
  const [checkpoint, python] = [join(work, 'checkpoint'), join(work, 'python')];
  await mkdir(checkpoint);
  const config = { model_type: 'qwen3', num_hidden_layers: 2, hidden_size: 32, vocab_size: 400 };
  await writeFile(join(checkpoint, 'config.json'), JSON.stringify(config));
  const ready = JSON.stringify({ python: '3.11.7', missing: [], different: {} });
  await writeFile(
    python,
    `#!/bin/sh\nif [ "$2" = check ]; then echo '${ready}'; exit 0; fi\ntouch "${work}/began"\ncp -r "${made}" "${work}/out"\n`,
  );
  await chmod(python, 0o755);
  const words = ['--from', checkpoint, '--out', join(work, 'out'), '--trunk', trunk, '--python', python];
  const ended = await run(['models', 'convert', 'reward', ...words, ...more]);
  const began = await stat(join(work, 'began')).then(
    () => true,
    () => false,
  );
  return { ...ended, began };
}

test('convert: what was made with a trunk is loaded, its self-test run, and told', async () => {
  const trunk = join(trunks, 'scalar/trunk.gguf');
  const made = await convertTrunk(trunk, join(trunks, 'scalar'));
  assert.deepEqual([made.code, made.stderr], [0, '']);
  assert.match(made.stdout.replace(/\s+/g, ' '), /^reward model tiny-scalar-trunk, \d+\.\d KiB, in .*out checked /);
  assert.match(made.stdout.replace(/\s+/g, ' '), /hashes match, 4 self-tests off by at most \S+ \(allowed: 0\.001\)/);
  assert.match(made.stdout, /^trunk +runs in llama\.cpp/m);
  const { selfTest } = JSON.parse((await convertTrunk(trunk, join(trunks, 'scalar'), '--json')).stdout);
  assert.equal(selfTest.count, 4);
  const off = await changed('scalar', (path) => edit(path, (m) => (m.selfTest[0].score -= 0.5)), trunks);
  assertRefused(await convertTrunk(trunk, off), {
    exitCode: 1,
    code: 'ERR_SELF_TEST',
    message: /off by 0\.500.*where its quantisation is coarse.*allow more with --tolerance/,
  });
});

test('convert: a trunk that llama.cpp does not load is refused before Python works', async () => {
  const cut = join(folder, 'cut.gguf');
  await cp(join(trunks, 'scalar/trunk.gguf'), cut);
  await truncate(cut, (await stat(cut)).size - 64);
  const ended = await convertTrunk(cut, join(trunks, 'scalar'));
  assertRefused(ended, { exitCode: 1, code: 'ERR_MODEL_INVALID', message: /cut off/ });
  assert.equal(ended.began, false);
  const weights = await convertTrunk(join(trunks, 'scalar/trunk.gguf'), join(trunks, 'scalar'), '--weights', 'int8');
  assertRefused(weights, { exitCode: 2, code: 'ERR_INVALID_OPTION', message: /expected none beside a trunk/ });
});

test('convert: a checkpoint that is not there, and a kind that is not known', async () => {
  const missing = await run([
    'models',
    'convert',
    'reward',
    '--from',
    join(folder, 'none'),
    '--out',
    join(folder, 'out'),
  ]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /Expected a Hugging Face model folder at .*\(ERR_MODEL_NOT_FOUND\)/);
  const kind = await run(['models', 'convert', 'reword', '--from', 'x', '--out', 'y']);
  assert.equal(kind.code, 2);
  assert.match(kind.stderr, /Did you mean 'reward'\?/);
  const options = await run(['models', 'convert', 'reward', '--out', 'y']);
  assert.equal(options.code, 2);
  assert.match(options.stderr, /--from/);
});
