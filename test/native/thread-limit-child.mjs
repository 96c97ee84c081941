/** Makes contexts of many threads, one after the other, and says what came of each; thread-limit.test.ts starts it. */
import { readFileSync } from 'node:fs';
import { loadFrom } from '../../dist/native/binding.js';
import { LLAMA_TAG } from '../../dist/native/llama-version.js';

const { addon, modelOptions, contextOptions } = JSON.parse(process.argv[2]);
const model = await loadFrom(addon, LLAMA_TAG).binding.loadModel(modelOptions).model;
const before = Number(/^Threads:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
const outcomes = [];
for (let i = 0; i < 10; i++) {
  try {
    await (await model.createContext(contextOptions)).dispose();
    outcomes.push('made');
  } catch (error) {
    outcomes.push(`${error.code} ${error.message}`);
  }
}
console.log(JSON.stringify({ before, outcomes }));
