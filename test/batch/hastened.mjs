/** Imported first: what waits for seconds waits for a twentieth of them, so that a lock is looked at in milliseconds. */
import { syncBuiltinESMExports } from 'node:module';
import promises from 'node:timers/promises';

const sooner = (ms) => (ms >= 1000 ? ms / 20 : ms);
const { setTimeout: sleep } = promises;
const { setInterval: every } = globalThis;

promises.setTimeout = (ms, ...others) => sleep(sooner(ms), ...others);
globalThis.setInterval = (call, ms, ...others) => every(call, sooner(ms), ...others);
syncBuiltinESMExports();
