/** Loads an Eta with the options that it is told, and says by which error that ends; failed-load.test.ts starts it. */
import { loadEta } from '../../dist/index.js';

const options = JSON.parse(process.argv[2]);
const { abortMs, ...others } = options;
const signal = abortMs === undefined ? undefined : AbortSignal.timeout(abortMs);
try {
  await loadEta({ ...others, signal });
  console.log('loaded');
} catch (error) {
  console.log(`${error.name} ${error.code}`);
}
