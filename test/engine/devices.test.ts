/** Which devices a name means, and what is said of one that is not there. On a device: test/vulkan. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPU_LAYERS } from '../../src/engine/gpu-layers.js';
import { layerDevices, Model, type NativeBackendDevice } from '../../src/engine/index.js';
import { EtaError, loadEta } from '../../src/index.js';
import { LocalModel } from '../../src/judges/local-model.js';
import { thisMachine } from '../../src/loading/memory-fit.js';
import { loadBinding } from '../../src/native/binding.js';
import { wholeNumber } from '../../src/terminal/option-values.js';
import { golden } from './fixture.js';

const device = (name: string, type: NativeBackendDevice['type'], memoryFreeBytes = 1): NativeBackendDevice => ({
  name,
  type,
  description: `a ${type}`,
  memoryFreeBytes,
  memoryTotalBytes: 10,
});
const CPU = device('CPU', 'cpu');
const MACHINE = [CPU, device('CUDA0', 'gpu', 3), device('CUDA1', 'gpu', 4), device('Vulkan0', 'integrated-gpu', 5)];

const names = (wanted: string, found = MACHINE) => layerDevices(wanted, found).map(({ name }) => name);

const isUnknown = (message: RegExp) => (error: unknown) =>
  error instanceof EtaError && error.code === 'ERR_DEVICE_NOT_FOUND' && message.test(error.message);

test('auto means all GPUs, those in the main memory where there are no others; a name means one', () => {
  assert.deepEqual(names('auto'), ['CUDA0', 'CUDA1']);
  assert.deepEqual(names('AUTO', [CPU, device('Vulkan0', 'integrated-gpu')]), ['Vulkan0']);
  assert.deepEqual(names('auto', [CPU, device('BLAS', 'accelerator')]), []);
  assert.deepEqual(names('cuda1'), ['CUDA1']);
  assert.deepEqual(names('vulkan0'), ['Vulkan0']);
  assert.deepEqual(names('cpu'), []);
});

test('the memory that counts is that of the device', () => {
  const free = (wanted?: string) => thisMachine(MACHINE, wanted).gpuFreeBytes;
  assert.deepEqual([free(), free('CUDA0'), free('Vulkan0'), free('CPU')], [7, 3, 5, 0]);
  assert.equal(thisMachine(MACHINE, 'Vulkan0').isShared, true);
  assert.equal(thisMachine(MACHINE, 'CUDA0').isShared, false);
});

test('a device that is not there is refused with those that are, before anything is loaded', async () => {
  assert.throws(
    () => names('Vulkan7'),
    isUnknown(
      /received "Vulkan7"\. There are auto, CPU, CUDA0 \(a gpu\), CUDA1 \(a gpu\), Vulkan0 \(a integrated-gpu\)\./,
    ),
  );
  assert.throws(() => names('BLAS', [CPU, device('BLAS', 'accelerator')]), isUnknown(/There are auto, CPU\./));
  await assert.rejects(Model.load({ modelPath: golden('tiny.gguf'), device: 'Vulkan7' }), isUnknown(/"Vulkan7"/));
  await assert.rejects(loadEta({ device: 'Vulkan7' }), isUnknown(/"Vulkan7"/));
  await assert.rejects(Model.load({ modelPath: golden('tiny.gguf'), device: '' }), /device: expected a device's name/);
});

test('on the processor by name', async () => {
  await using model = await Model.load({ modelPath: golden('tiny.gguf'), device: 'cpu', gpuLayerCount: -1 });
  assert.equal(model.name, 'tiny');
});

test('layers on the GPU have one range, at the addon, in the library and on the command line', async () => {
  const { least, most } = GPU_LAYERS;
  const modelPath = golden('tiny.gguf');
  const invalid = {
    code: 'ERR_INVALID_OPTION',
    message: new RegExp(`gpuLayerCount: expected an integer from ${least} to ${most}`),
  };
  const native = { modelPath, projectorOnGpu: false, threadCount: 1, useMmap: true, useMlock: false };
  for (const count of [least - 1, most + 1]) {
    await assert.rejects(Model.load({ modelPath, gpuLayerCount: count }), invalid);
    await assert.rejects(loadEta({ gpuLayerCount: count }), invalid);
    await assert.rejects(LocalModel.load({ modelPath, gpuLayerCount: count }), invalid);
    assert.throws(() => loadBinding().loadModel({ ...native, gpuLayerCount: count }), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => wholeNumber(least, most)(String(count)));
  }
  for (const gpuLayerCount of [least, most]) await (await Model.load({ modelPath, gpuLayerCount })).dispose();
});

test('a model that is disposed of gives its memory back to the system, after it is freed', async (context) => {
  const binding = loadBinding();
  const { returnMemory } = binding;
  const model = await Model.load({ modelPath: golden('tiny.gguf'), device: 'cpu' });
  const returned = context.mock.method(binding, 'returnMemory', () => returnMemory());
  await model.dispose();
  await model.dispose();
  assert.equal(returned.mock.callCount(), 1);
});
