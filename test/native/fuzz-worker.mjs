/** The fuzz in a worker thread, until somebody ends it. addon-fuzz.test.ts starts it. */
import { register } from 'tsx/esm/api';

register();
const { fuzz } = await import('./addon-fuzz.ts');
const { binding, loadTiny } = await import('./fixture.ts');
const { parentPort, workerData } = await import('node:worker_threads');
parentPort.postMessage('begins');
for (let seed = workerData; ; seed++) await fuzz({ binding, load: loadTiny, seed, calls: 2000 });
