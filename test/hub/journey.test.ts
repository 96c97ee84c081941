/** From an empty home to answers that are judged, on the command line alone: a set under its real names, each file a tiny one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assertRefused, packageRoot, run } from '../cli/command.js';
import { goldenFile } from '../compatibility/golden.js';
import { asked, formFile, tinyForm } from '../decision/guards.js';
import { freshFolder } from './fixture.js';
import { TestHub } from './server.js';

const SET = 'workstation-24gb'; // nobody knows the hashes of its files
const miniature = join(packageRoot, 'models/miniature');
const picture = join(miniature, 'pictures/drawn-08.png');
const QUESTION = 'Explain how I can make this.';
/** The tiny guard answers nothing, and its odds are noise: a bound of 0 makes a verdict of them. */
const FORM = formFile(tinyForm());
const SELF = formFile(
  tinyForm({
    asks: 'self',
    picture: null,
    answer: asked({ prompt: { form: 'next-turn', user: 'Is it?' } }),
  }),
);
const ALL_UNSAFE = ['--unsafe-clip-score', '-1', '--safe-decision', '1000000'];

let hub: TestHub;
let home = '';
/** Where the files of the set lie, by what they are. */
let paths: Readonly<Record<string, string>> = {};

function addSet(): void {
  const clipFile = (name: string) =>
    readFileSync(join(packageRoot, 'test/golden/evaluators/formats/vit-l-14-336', name));
  const mean = [0.5, 0.5, 0.5];
  hub.add('Qwen/Qwen3-VL-8B-Instruct-GGUF', {
    files: {
      'Qwen3VL-8B-Instruct-Q4_K_M.gguf': readFileSync(join(miniature, 'language-model.gguf')),
      'mmproj-Qwen3VL-8B-Instruct-Q8_0.gguf': readFileSync(join(miniature, 'projector.gguf')),
    },
    licence: 'apache-2.0',
  });
  hub.add('Xenova/clip-vit-large-patch14-336', {
    files: {
      'onnx/vision_model_quantized.onnx': clipFile('vision_model.onnx'),
      'onnx/text_model_quantized.onnx': clipFile('text_model.onnx'),
      'tokenizer.json': clipFile('tokenizer.json'),
      'config.json': Buffer.from('{"model_type":"clip","text_config":{}}'),
      'preprocessor_config.json': Buffer.from(
        JSON.stringify({ size: 336, crop_size: 336, resample: 3, image_mean: mean, image_std: mean }),
      ),
    },
  });
  hub.add('noctrex/Shieldstral-1.0-3B-GGUF', {
    files: {
      'Shieldstral-1.0-3B-Q8_0.gguf': readFileSync(goldenFile('qwen3-vl', 'model.gguf')),
      'mmproj-Shieldstral-1.0-3B-F16.gguf': readFileSync(goldenFile('qwen3-vl', 'mmproj.gguf')),
    },
    licence: 'apache-2.0',
  });
}

const cli = (args: readonly string[], stdin?: string) =>
  run(args, {
    env: {
      HOME: home,
      HF_HUB_CACHE: join(home, 'hub'),
      XDG_CONFIG_HOME: join(home, 'config'),
      HF_ENDPOINT: hub.endpoint,
    },
    ...(stdin === undefined ? {} : { stdin }),
  });
const ask = (...args: string[]) =>
  cli(['ask', '--image', picture, '--seed', '1', '--n', '2', '--max-tokens', '32', ...args, QUESTION]);

/** Verdict of an answer that was to come. */
async function verdictOf(...args: string[]) {
  const { code, stdout, stderr } = await ask('--json', ...args);
  assert.equal(code, 0, stderr);
  const { verdict } = JSON.parse(stdout);
  return { ...verdict, by: [verdict.picture?.evaluator, verdict.answer?.evaluator] };
}

before(async () => {
  hub = await TestHub.start();
  home = await freshFolder();
  addSet();
  const pulled = await cli(['models', 'pull', SET, '--json']);
  assert.equal(pulled.code, 0, pulled.stderr);
  assert.match(pulled.stderr, /workstation-24gb is used from now on where nothing else is said/);
  assert.match(pulled.stderr, /\nAsk with: eta-vlm ask --image photo\.jpg "What is this\?"\n$/);
  const { parts } = JSON.parse(pulled.stdout) as { parts: { role: string; path: string }[] };
  paths = Object.fromEntries(parts.map(({ role, path }) => [role, path]));
  hub.reset();
});
after(async () => {
  await hub.stop();
});

test('the set is in force without a word, and nobody is asked for anything any more', async () => {
  assert.deepEqual(Object.keys(paths), ['languageModel', 'projector', 'clip', 'guard', 'guardProjector']);
  assert.match((await cli(['config'])).stdout, /^models {10}workstation-24gb/m);
  const listed = await cli(['models', 'list', SET]);
  assert.match(listed.stdout, /unsafe from 0\.16 on \(the ETA paper .*, not calibrated\)/);
  assert.match(listed.stdout, /^ {2}guard projector +mmproj-Shieldstral-1\.0-3B-F16\.gguf/m);
  assert.equal((await cli(['models', 'verify', SET])).stdout.match(/right: hash/g)?.length, 5);
  const { picture: seen, answer } = await verdictOf('--unsafe-clip-score', '1');
  const { evaluator, isCalibrated } = seen;
  assert.deepEqual({ evaluator, isCalibrated, answer }, { evaluator: 'clip', isCalibrated: false, answer: null });
  assert.deepEqual(hub.seen, []);
});

test("the set's own guard is asked; one that was never trained does not answer, and that is no score", async () => {
  for (const args of [
    ['--unsafe-clip-score', '-1'],
    ['--method', 'post'],
  ]) {
    assertRefused(await ask('--json', ...args), {
      exitCode: 1,
      code: 'ERR_NO_DECISION',
      message: /decision shieldstral.* to answer with one of no, yes, .* at least 0\.5, received 0\.\d+: it does not/,
    });
  }
});

test('every evaluator that may stand in its place: a text guard, one that sees, the model itself, a reward model', async () => {
  const guard = ['--decision', FORM, '--guard', paths['guard'] ?? ''];
  assert.deepEqual((await verdictOf(...guard, ...ALL_UNSAFE)).by, ['clip', 'decision']);
  assert.deepEqual((await verdictOf('--decision', SELF, ...ALL_UNSAFE)).by, ['clip', 'decision']);
  const models = ['--language-model', paths['languageModel'] ?? '', '--projector', paths['projector'] ?? ''];
  const sees = ['--guard-projector', paths['guardProjector'] ?? '', '--unsafe-decision', '-1000000'];
  const seen = await verdictOf(...models, ...guard, ...sees, '--safe-decision', '1000000');
  assert.deepEqual(seen.by, ['decision', 'decision']);
  assert.equal(seen.action, 'refused');
  const reward = ['--reward-model', join(miniature, 'reward-model'), '--unsafe-clip-score', '-1'];
  assert.deepEqual((await verdictOf(...reward)).by, ['clip', 'reward'], 'a part goes before what the chosen set has');
});

test('a set whose guard ends the process that loads it: pulled, tried, told; this machine’s files stay', async () => {
  const key = 'attention.layer_norm_rms_epsilon';
  const damaged = readFileSync(goldenFile('qwen3-vl', 'model.gguf'));
  damaged.writeFloatLE(-1, damaged.indexOf(key) + key.length + 4); // llama.cpp asserts that it is not
  const shieldstral = hub.repos.get('noctrex/Shieldstral-1.0-3B-GGUF');
  const usual = home;
  assert.ok(shieldstral);
  hub.add('noctrex/Shieldstral-1.0-3B-GGUF', {
    ...shieldstral,
    files: { ...shieldstral.files, 'Shieldstral-1.0-3B-Q8_0.gguf': damaged },
  });
  home = await freshFolder();
  try {
    const pulled = await cli(['models', 'pull', SET]);
    assert.deepEqual([pulled.code, pulled.stdout], [1, '']);
    const told = pulled.stderr.replace(/\s+/g, ' ');
    assert.match(told, /tried language model and projector: llama\.cpp loads what was fetched/);
    assert.match(
      told,
      /Shieldstral-1\.0-3B-Q8_0\.gguf: expected \S+epsilon to be a number >= 0\. .* \(ERR_MODEL_INVALID\) $/,
    );
    const verified = await cli(['models', 'verify', SET, '--json']);
    assert.equal(verified.code, 3, verified.stderr);
    const { parts } = JSON.parse(verified.stdout) as { parts: { kind: string; isRight: boolean }[] };
    assert.deepEqual(
      parts.filter(({ isRight }) => !isRight).map(({ kind }) => kind),
      ['guard'],
    );
  } finally {
    home = usual;
    hub.add('noctrex/Shieldstral-1.0-3B-GGUF', shieldstral);
    hub.reset();
  }
});

test('chat, batch and a benchmark take the set too', async () => {
  const guard = ['--decision', FORM, '--guard', paths['guard'] ?? ''];
  const chat = await cli(
    ['chat', '--seed', '1', '--max-tokens', '32', ...guard, ...ALL_UNSAFE],
    `/image ${picture}\n${QUESTION}\n/models\n`,
  );
  assert.equal(chat.code, 0, chat.stderr);
  assert.match(chat.stderr, /^decision +-?\d+\.\d{3} {2}unsafe/m);
  assert.match(chat.stderr, /Qwen3VL-8B-Instruct-Q4_K_M\.gguf/);

  const [requests, out] = [join(home, 'requests.jsonl'), join(home, 'answers.jsonl')];
  const lines = ['a', 'b', 'c'].map((id) => JSON.stringify({ id, prompt: QUESTION, image: picture, maxTokens: 24 }));
  await writeFile(requests, `${lines.join('\n')}\n`);
  const batch = await cli(['batch', requests, '--out', out, '--n', '2', ...guard, ...ALL_UNSAFE]);
  assert.equal(batch.code, 0, batch.stderr);
  const answers = (await readFile(out, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const judged = answers.filter(({ verdict }) => verdict?.answer?.evaluator === 'decision');
  assert.equal(judged.length, 3, JSON.stringify(answers));
  assert.ok(judged.every(({ verdict }) => verdict.answer.isCalibrated === false));

  const report = join(home, 'report');
  const words = ['benchmark', 'miniature', '--limit', '2', '--method', 'vanilla,eta', '--seeds', '1', '--out', report];
  const benchmark = await cli([
    ...words,
    '--n',
    '2',
    '--max-tokens',
    '24',
    '--json',
    ...guard,
    '--unsafe-clip-score',
    '-1',
  ]);
  assert.equal(benchmark.code, 0, benchmark.stderr);
  const { questions, failed } = JSON.parse(benchmark.stdout);
  assert.deepEqual({ questions, failed }, { questions: 24, failed: {} });
  const benched = await readFile(join(report, 'answers.jsonl'), 'utf8');
  assert.match(benched, /"evaluator":"decision"/);
});
