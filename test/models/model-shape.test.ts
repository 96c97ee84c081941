/** Shapes of several architectures; the sizes are those of llama.cpp's log lines at 4096 cells and 8 sequences. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { GgufFile, GgufValue } from '../../src/models/gguf-file.js';
import { estimateMemory, type MemoryPlan, readGguf } from '../../src/models/index.js';
import { type LanguageShape, languageShape, projectorShape } from '../../src/models/model-shape.js';

const MIB = 2 ** 20;
const golden = (name: string) => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
const PLAN: MemoryPlan = {
  contextSize: 4096,
  sequenceCount: 8,
  batchSize: 128,
  cacheType: 'f32',
  flashAttention: 'on',
  gpuLayerCount: 0,
  repackedTypes: [],
  trunk: null,
};
const EVALUATORS = { clipBytes: null, rewardBytes: null, trunk: null, largestGraphBytes: 0, rewardCacheBytes: 0 };

function cacheMib(language: LanguageShape): number {
  const { parts } = estimateMemory({ language, projector: null, evaluators: EVALUATORS }, PLAN);
  return (parts.find(({ name }) => name === 'KV cache')?.ramBytes ?? 0) / MIB;
}

for (const [file, architecture, expected] of [
  ['engine/tiny.gguf', 'llama', 2],
  ['native/mrope.gguf', 'qwen2vl', 2],
  ['native/noncausal.gguf', 'gemma3', 2], // sliding windows are kept whole: a fork may need what is behind them
  ['native/recurrent.gguf', 'mamba', 0.09], // a state for each sequence, no cells
] as const) {
  test(`${architecture}: the cache is what llama.cpp reserves`, async () => {
    const shape = languageShape(await readGguf(golden(file)));
    assert.equal(shape.architecture, architecture);
    assert.ok(Math.abs(cacheMib(shape) - expected) < 0.01, `${cacheMib(shape)} MiB`);
  });
}

/** A model of four layers with these tensors in each of them. */
function planted(layers: readonly (readonly string[])[], values: Readonly<Record<string, GgufValue>>): LanguageShape {
  const file: GgufFile = {
    path: 'planted.gguf',
    values: new Map<string, GgufValue>([
      ['general.architecture', 'x'],
      ['x.block_count', layers.length],
      ['x.embedding_length', 64],
      ...Object.entries(values).map(([name, value]): [string, GgufValue] => [`x.${name}`, value]),
    ]),
    tensors: layers.flatMap((names, layer) =>
      names.map((name) => ({ name: `blk.${layer}.${name}.weight`, type: 1, shape: [50], offset: 0, sizeBytes: 100 })),
    ),
  };
  return languageShape(file);
}

test('layers differ: heads by layer, attention beside linear attention, both in one', () => {
  const heads = { 'attention.head_count': 4, 'attention.head_count_kv': [2, 0, 1, 2] };
  const attention = ['attn_q', 'attn_k', 'attn_v'];
  assert.deepEqual(planted([attention, ['shortconv'], attention, attention], heads).cellValues, [64, 0, 32, 64]);
  const ssm = { 'ssm.conv_kernel': 4, 'ssm.inner_size': 32, 'ssm.state_size': 8, 'attention.head_count': 4 };
  const linear = ['attn_qkv', 'ssm_out'];
  const mixed = planted([linear, attention, ['attn_qkv'], [...attention, 'ssm_out']], ssm);
  assert.deepEqual(mixed.cellValues, [0, 128, 128, 128]);
  assert.deepEqual(mixed.stateValues, [3 * 32 + 8 * 32, 0, 0, 3 * 32 + 8 * 32]);
});

test("key and value of other widths than the model's", () => {
  const widths = { 'attention.head_count': 4, 'attention.key_length': 100, 'attention.value_length': 50 };
  assert.deepEqual(planted([['attn_k']], widths).cellValues, [4 * 150]);
});

test('a projector is no language model, and the other way round', async () => {
  const projector = await readGguf(golden('engine/tiny-projector.gguf'));
  assert.throws(() => languageShape(projector), {
    code: 'ERR_MODEL_INVALID',
    message: /Name the file of the language model/,
  });
  const language = await readGguf(golden('engine/tiny.gguf'));
  assert.throws(() => projectorShape(language), { code: 'ERR_MODEL_INVALID', message: /Use the projector/ });
  assert.deepEqual(
    { ...projectorShape(projector), weightBytes: 0 },
    { weightBytes: 0, patchCount: 17, width: 32, feedForward: 64 },
  );
});
