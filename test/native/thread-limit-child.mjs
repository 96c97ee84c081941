/**
 * Loads a model, leaves the system so many threads more than there are, and says what comes of each of several tries;
 * thread-limit.test.ts starts it.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { loadFrom } from '../../dist/native/binding.js';
import { LLAMA_TAG } from '../../dist/native/llama-version.js';

const { addon, modelOptions, contextOptions, picture, work, more } = JSON.parse(process.argv[2]);
const binding = loadFrom(addon, LLAMA_TAG).binding;
const load = async () => await binding.loadModel(modelOptions).model;
const model = await load();

/** What is tried; it frees what it has made. */
const WORKS = {
  check: async () => binding.checkThreads(contextOptions.threadCount - 1),
  load: async () => await (await load()).dispose(),
  context: async () => await (await model.createContext(contextOptions)).dispose(),
  picture: async () =>
    (await model.encodeImage({ ...picture, data: new Uint8Array(3 * picture.width * picture.height) }).image).dispose(),
};

const count = () => Number(/^Threads:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
const here = count();
const { status, stderr } = spawnSync('prlimit', [`--pid=${process.pid}`, `--nproc=${here + more}:`], {
  encoding: 'utf8',
});
if (status !== 0) throw new Error(stderr);
const outcomes = [];
for (let i = 0; i < 10; i++) {
  try {
    await WORKS[work]();
    outcomes.push('made');
  } catch (error) {
    outcomes.push(`${error.code} ${error.message}`);
  }
  while (count() > here) await setTimeout(1); // threads that end count until they are gone
}
console.log(JSON.stringify(outcomes));
