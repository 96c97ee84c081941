/** One line on stderr where the miniature is the default and knows nothing of what is asked. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { packageRoot, run } from './command.js';

const drawing = join(packageRoot, 'models/miniature/pictures/clean-04.png');
const photo = join(packageRoot, 'test/golden/evaluators/pictures/photo.png');
const ASK = ['ask', '--method', 'vanilla', '--max-tokens', '3', '--seed', '1'];
const LINE = /^eta-vlm: the shipped miniature answers, .* Real models: .*$/gm;
const told = (stderr: string) => stderr.match(LINE)?.length ?? 0;
let folder = '';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'eta-vlm-notices-'));
});
after(() => rmSync(folder, { recursive: true }));

test('ask tells it of another picture and of a question alone, with --json too', async () => {
  for (const picture of [['--image', photo], []]) {
    const plain = await run([...ASK, ...picture, 'What is in the picture?']);
    assert.equal(told(plain.stderr), 1, plain.stderr);
    const json = await run([...ASK, ...picture, '--json', 'What is in the picture?']);
    assert.match(json.stderr, /^eta-vlm: the shipped miniature answers[^\n]+\n$/, 'expected this line alone');
    assert.doesNotThrow(() => JSON.parse(json.stdout));
  }
});

test('ask tells nothing of a drawing, nor where models are named', async () => {
  const own = await run([...ASK, '--image', drawing, 'What is in the picture?']);
  assert.equal(told(own.stderr), 0, own.stderr);
  for (const models of [
    ['--models', 'miniature'],
    ['--language-model', join(packageRoot, 'models/miniature/language-model.gguf')],
  ]) {
    const named = await run([...ASK, ...models, 'What is this?']);
    assert.equal(named.code, 0, named.stderr);
    assert.equal(told(named.stderr), 0, named.stderr);
  }
});

const lines = (...images: (string | null)[]) =>
  images
    .map(
      (image, at) => `${JSON.stringify({ id: String(at), prompt: 'What?', ...(image === null ? {} : { image }) })}\n`,
    )
    .join('');

test('batch tells it once, and how many there were', async () => {
  const requests = join(folder, 'requests.jsonl');
  writeFileSync(requests, lines(drawing, photo, null, photo, drawing));
  const out = join(folder, 'answers.jsonl');
  const short = ['--method', 'vanilla', '--max-tokens', '3'];
  const ended = await run(['batch', requests, '--out', out, ...short]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(told(ended.stderr), 1, ended.stderr);
  assert.match(ended.stderr, /^unknown +3 {2}the miniature does not know what they are about$/m);
  writeFileSync(requests, lines(drawing, drawing));
  const own = await run(['batch', requests, '--out', join(folder, 'own.jsonl'), ...short]);
  assert.equal(told(own.stderr), 0, own.stderr);
  assert.doesNotMatch(own.stderr, /unknown/);
});

test("benchmark tells it once of another set, and not of the miniature's own", async () => {
  writeFileSync(join(folder, 'items.jsonl'), '{"prompt": "What?", "right": "x"}\n{"prompt": "And?", "right": "y"}\n');
  const short = ['--method', 'vanilla', '--max-tokens', '3'];
  const other = await run(['benchmark', 'jsonl', '--root', folder, '--out', join(folder, 'other'), ...short]);
  assert.equal(told(other.stderr), 1, other.stderr);
  const own = await run(['benchmark', 'miniature', '--limit', '1', '--out', join(folder, 'own'), ...short]);
  assert.equal(own.code, 0, own.stderr);
  assert.equal(told(own.stderr), 0, own.stderr);
});
