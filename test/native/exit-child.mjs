/**
 * Ends itself in the phase that the arguments name: lifecycle.test.ts starts it as
 * `node exit-child.mjs <addon> <main | worker> <phase>`. Plain JavaScript, because it runs in a worker
 * thread too, so the package is that of dist.
 */
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { loadFrom } from '../../dist/native/binding.js';
import { LLAMA_TAG } from '../../dist/native/llama-version.js';

const [addon, where, phase] = isMainThread ? process.argv.slice(2) : workerData;
const { binding } = loadFrom(addon, LLAMA_TAG);
const folder = fileURLToPath(new URL('../golden/engine/', import.meta.url));

/** As test/device.ts has it. */
const device = process.env['ETA_VLM_TEST_DEVICE'];
const PLACE =
  device === undefined
    ? { gpuLayerCount: 0, projectorOnGpu: false }
    : { device, gpuLayerCount: -1, projectorOnGpu: true };

const load = (onProgress) =>
  binding.loadModel(
    {
      modelPath: `${folder}tiny.gguf`,
      projectorPath: `${folder}tiny-projector.gguf`,
      ...PLACE,
      threadCount: 2,
      useMmap: true,
      useMlock: false,
    },
    onProgress,
  ).model;
const ignore = (work) => void work.catch(() => undefined);

/** Brings the thread into the phase; what is under way goes on behind it. */
async function enter() {
  if (phase === 'throwing') {
    await load(() => {
      throw new RangeError('from the callback');
    });
    return;
  }
  const loading = load();
  ignore(loading);
  if (phase === 'loading') return;
  const model = await loading;
  if (phase === 'loaded') return;
  if (phase === 'encoding shared') {
    const data = new Uint8Array(new SharedArrayBuffer(3000 * 3000 * 3));
    for (let i = 0; i < 20; i++) ignore(model.encodeImage({ data, width: 3000, height: 3000 }).image);
    return;
  }
  if (phase === 'encoding') {
    for (let i = 0; i < 200; i++)
      ignore(model.encodeImage({ data: new Uint8Array(300 * 300 * 3), width: 300, height: 300 }).image);
    return;
  }
  const context = await model.createContext({
    cellCount: 4096,
    sequenceCount: 4,
    batchSize: 64,
    microBatchSize: 64,
    threadCount: 2,
    measuresThreads: false,
    flashAttention: 'off',
    cacheType: 'f32',
    output: 'logits',
  });
  const sequence = await context.createSequence();
  await context.append(sequence, [Int32Array.of(1, 20, 30)]);
  await context.setSampler(sequence, {
    temperature: 1,
    topK: 40,
    topP: 1,
    minP: 0,
    seed: 1,
    wantsLogProbabilities: false,
  });
  if (phase === 'ready') return;
  const long = { entries: [{ sequence, maxTokens: 100_000, pauseSet: -1 }], stepBudget: 100_000 };
  for (let i = 0; i < 20; i++) ignore(context.run(long));
  await new Promise((resolve) => setTimeout(resolve, 20));
  if (phase === 'disposing') {
    ignore(model.dispose());
    ignore(context.dispose());
  }
  if (phase === 'dropped') {
    // Nothing refers to them any more, save their own work.
    for (let i = 0; i < 5; i++) globalThis.gc();
  }
}

if (!isMainThread) {
  await enter();
  parentPort.postMessage('entered');
  setInterval(() => undefined, 1000);
} else if (where === 'main') {
  await enter();
  process.exit(0);
} else {
  const worker = new Worker(new URL(import.meta.url), { workerData: [addon, where, phase] });
  await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
  await worker.terminate();
  // The addon works on in another thread.
  await (await load()).dispose();
}
