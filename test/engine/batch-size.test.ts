/** One bound of batchSize, wherever it is said, asked before anything is loaded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_BATCH_SIZE } from '../../src/engine/index.js';
import { loadEta } from '../../src/index.js';
import { loadBinding } from '../../src/native/binding.js';
import { contextOptions, modelOptions } from '../native/fixture.js';
import { tinyModel } from './fixture.js';

const RANGE = /batchSize: expected an integer from 1 to 65536; received/;

test('loadEta and createContext refuse the same sizes', async () => {
  await using model = await tinyModel();
  for (const batchSize of [0, -1, 1.5, MAX_BATCH_SIZE + 1, 2 ** 31, Number.NaN, '64' as never]) {
    const refused = { code: 'ERR_INVALID_OPTION', message: RANGE };
    await assert.rejects(loadEta({ batchSize, models: 'no such models' }), refused, 'before anything is looked for');
    await assert.rejects(model.createContext({ batchSize }), refused);
  }
  for (const batchSize of [1, MAX_BATCH_SIZE]) {
    await using context = await model.createContext({ batchSize, contextSize: 256, sequenceCount: 1 });
    assert.ok(context.facts.cellCount >= 256);
  }
});

test('the addon has the same bound', async () => {
  const model = await loadBinding().loadModel(modelOptions(), () => undefined).model;
  const make = (batchSize: number) => model.createContext(contextOptions({ batchSize, microBatchSize: 1 }));
  assert.throws(() => make(MAX_BATCH_SIZE + 1), /1 to 65536 for batchSize/);
  await (await make(MAX_BATCH_SIZE)).dispose();
  await model.dispose();
});
