/** Files of an evaluator that do not belong together: a graph that lacks what its tokenizer and its manifest ask for. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Clip } from '../../src/clip/index.js';
import { EvaluatorError } from '../../src/errors.js';
import { misfitOf } from '../../src/onnx/misfit.js';
import { EvaluatorWorker } from '../../src/onnx/worker.js';
import { RewardModel } from '../../src/reward/index.js';
import { type OnnxMessage, readOnnx, writeOnnx } from '../fuzz/onnx-form.js';
import { goldenFolder } from './golden.js';

let worker: EvaluatorWorker;
before(async () => {
  worker = await EvaluatorWorker.start();
});
after(() => worker.dispose());

const scratch = mkdtempSync(join(tmpdir(), 'eta-misfit-'));
after(() => rmSync(scratch, { recursive: true }));

interface Json {
  readonly [name: string]: Json;
}

/** A copy of a golden evaluator, of which `change` has changed a file; sizes in the manifest are those of the files. */
function changed(name: string, file: string, change: (text: Buffer) => string | Buffer): string {
  const folder = join(scratch, `${name}-${Math.random()}`);
  cpSync(join(goldenFolder, name), folder, { recursive: true });
  writeFileSync(join(folder, file), change(readFileSync(join(folder, file))));
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  for (const entry of Object.values(manifest.files).flat() as { path: string; sizeBytes: number }[])
    entry.sizeBytes = readFileSync(join(folder, entry.path)).length;
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

const json = (change: (value: Json) => void) => (text: Buffer) => {
  const value = JSON.parse(text.toString()) as Json;
  change(value);
  return JSON.stringify(value);
};

/** Its own words go first: "zz" is a token that the graph has no row for. */
const withToken = json(({ added_tokens }) => {
  (added_tokens as unknown as object[]).push({ id: 5000, content: 'zz', special: false, normalized: false });
});
const withMaxTokens = (most: number) =>
  json((manifest) => {
    Object.assign(manifest['text'] ?? manifest, { maxTokens: most });
  });

const mismatch = (message: RegExp) => ({ name: 'ModelError', code: 'ERR_MODEL_MISMATCH', message });

const clipOf = (folder: string) => Clip.load({ worker, folder, verifyHashes: false });
const rewardOf = (folder: string) => RewardModel.load({ worker, folder, verifyHashes: false });
const PROMPT = [{ role: 'user' as const, content: 'Is it safe?' }];

test('CLIP: a token that the graph has no row for', async () => {
  const clip = await clipOf(changed('clip', 'tokenizer.json', withToken));
  await assert.rejects(
    clip.embedText('a zz'),
    mismatch(
      /^tiny-clip: expected tokens from 0 to 699, .* received 5000 from its tokenizer\. .*fetch or export both again\.$/,
    ),
  );
  assert.ok((await clip.embedText('a dog')).length > 0, 'it goes on');
  await clip.dispose();
});

test('CLIP: a text of more tokens than the graph has positions', async () => {
  const clip = await clipOf(changed('clip', 'manifest.json', withMaxTokens(100)));
  await assert.rejects(
    clip.embedText('a dog and a cat '.repeat(40)),
    mismatch(/^tiny-clip: expected a graph with 100 positions, .* received one with 77\. Correct maxTokens/),
  );
  await clip.dispose();
});

test('CLIP: a graph that takes texts of one length, which is another', async () => {
  const folder = changed('clip', 'text_model.onnx', (bytes) => withFixedLength(bytes, 77n));
  await assert.rejects(
    clipOf(folder),
    mismatch(
      /^tiny-clip: expected a graph whose input 'input_ids' takes \d+ at place 1 of its shape, received one that takes 77 alone\. Correct padTo/,
    ),
  );
});

for (const name of ['reward-scalar', 'reward-no-cache', 'reward-encoder']) {
  test(`${name}: a token that the graph has no row for`, async () => {
    const model = await rewardOf(changed(name, 'tokenizer.json', withToken));
    await assert.rejects(
      model.score(PROMPT, 'No zz.'),
      mismatch(/expected tokens from 0 to 399, .* received 5000 from its tokenizer/),
    );
    assert.ok(Number.isFinite(await model.score(PROMPT, 'No.')), 'it goes on');
    await model.dispose();
  });
}

test('an encoder: an answer of more tokens than the graph has positions', async () => {
  const model = await rewardOf(changed('reward-encoder', 'manifest.json', withMaxTokens(4000)));
  await assert.rejects(
    model.score(PROMPT, 'I cannot help with that. '.repeat(200)),
    mismatch(/^tiny-encoder: expected a graph with \d+ positions, .* received one with 512\. Correct maxTokens/),
  );
  await model.dispose();
});

test('a number that is a token and a position: both are named', () => {
  const said = (index: number, ids: readonly number[], pastLength = 0) => {
    const error = new EvaluatorError(
      'ERR_EVALUATOR',
      `onnxruntime: idx=${index} must be within the inclusive range [-8,7]`,
    );
    return (misfitOf(error, { name: 'a', ids, pastLength }) as Error).message;
  };
  const long = Array.from({ length: 9 }, () => 8);
  assert.match(
    said(8, long),
    /8, which is a token and a position of this text, .* 8 positions, correct maxTokens .* 8 tokens, the tokenizer/,
  );
  assert.match(said(8, [8, 1], 7), /a token and a position/);
  assert.match(
    said(
      8,
      long.map(() => 1),
    ),
    /expected a graph with 9 positions, .* received one with 8\. Correct maxTokens/,
  );
  assert.match(said(8, [8, 1]), /expected tokens from 0 to 7, .* received 8 from its tokenizer/);
  assert.match(said(5000, [...long, 5000]), /received 5000 from its tokenizer/);
});

test('what says something else stays what it is', () => {
  const fed = { name: 'a', ids: [1, 2, 3], pastLength: 4 };
  for (const message of [
    'onnxruntime: out of memory',
    'onnxruntime: idx=2 must be within the inclusive range [-9,8]',
    'onnxruntime: Attempting to broadcast an axis by a dimension other than 1. 12 by 13',
  ]) {
    const error = new EvaluatorError('ERR_EVALUATOR', message);
    assert.equal(misfitOf(error, fed), error);
  }
  const other = new TypeError('idx=12 must be within the inclusive range [-9,8]');
  assert.equal(misfitOf(other, fed), other);
});

/** With a number for the length of its first input, in place of a name. */
function withFixedLength(bytes: Buffer, length: bigint): Buffer {
  const model = readOnnx(bytes);
  const inner = (message: OnnxMessage, ...numbers: number[]): OnnxMessage =>
    numbers.reduce((at, number) => at.fields.find((field) => field.number === number)?.value as OnnxMessage, message);
  // graph, input, type, tensor_type, shape
  const shape = inner(model, 7, 11, 2, 1, 2);
  const dimension = shape.fields[1]?.value as OnnxMessage;
  dimension.fields.splice(0, dimension.fields.length, { number: 1, wire: 0, value: length });
  return writeOnnx(model);
}
