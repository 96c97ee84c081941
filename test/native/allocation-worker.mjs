/** Calls the addon in a worker thread, whose allocations the main thread lets fail. allocation-failure.test.ts starts it. */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

const { addon, modelOptions, contextOptions, picture, gate } = workerData;
const binding = createRequire(import.meta.url)(addon);
const model = await binding.loadModel(modelOptions).model;
const pieces = [{ text: 'the red circle is on the left. '.repeat(8), parseSpecial: false }];

const calls = {
  setLogLevel: () => binding.setLogLevel('silent'),
  loadedOnnxruntimes: () => binding.loadedOnnxruntimes().length,
  tokenize: () => model.tokenize(pieces, { isContinued: true, maxTokens: 2 ** 30, sliceBytes: 16 }).tokens,
  vocabulary: () => model.vocabulary(true),
  encodeImage: async () => (await model.encodeImage(picture).image).dispose(),
  createContext: async () => await (await model.createContext(contextOptions)).dispose(),
};

parentPort.on('message', async (name) => {
  if (name === 'end') {
    await model.dispose();
    parentPort.close(); // and nothing else keeps this thread alive
    return;
  }
  parentPort.postMessage('ready');
  Atomics.wait(gate, 0, 0);
  let outcome = {};
  try {
    await calls[name]();
  } catch (error) {
    outcome = { code: String(error.code), text: String(error.stack) };
  }
  Atomics.store(gate, 0, 0);
  parentPort.postMessage(outcome);
});
parentPort.postMessage(Object.keys(calls));
