/**
 * Calls every method of the addon with arguments that no type allows, and looks that each is refused with a code or done:
 * no end of the process, no promise that stays open, no error without a code.
 *
 *     npm run build && node --import tsx bench/addon-fuzz.ts [--calls 100000] [--seed 1]
 */
import { parseArgs } from 'node:util';
import { fuzz } from '../test/native/addon-fuzz.js';
import { binding, loadTiny } from '../test/native/fixture.js';

const { values } = parseArgs({
  options: { calls: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const startedAt = performance.now();
const counts = await fuzz({ binding, load: loadTiny, seed: Number(values.seed), calls: Number(values.calls) });
console.log(`${values.calls} calls, seed ${values.seed}, ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
for (const [name, count] of Object.entries(counts)) console.log(`${name}: ${count}`);
