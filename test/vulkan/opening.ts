/** Run by opening.test.ts as a process of its own, whose device nobody has opened yet. */
import { EtaError } from '../../src/index.js';
import { PLACE } from '../device.js';
import { tinyModel } from '../engine/fixture.js';
import { plantNo16Bit, plantOpening } from './planted-device.js';

/** What became of so many loads at once: the code of its error, or that it is there. */
async function loadAtOnce(count: number, device: string | undefined): Promise<string[]> {
  const loads = await Promise.allSettled(Array.from({ length: count }, () => tinyModel({ device })));
  return await Promise.all(
    loads.map(async (load) => {
      if (load.status === 'fulfilled') await load.value.dispose();
      else if (!(load.reason instanceof EtaError)) throw load.reason;
      return load.status === 'fulfilled' ? 'there' : `${load.reason.code}: ${load.reason.message}`;
    }),
  );
}

const [, , fault = ''] = process.argv;
if (fault === 'no 16 bit') plantNo16Bit();
else plantOpening(Number(fault));
const first = await loadAtOnce(3, PLACE.device);
const again = await loadAtOnce(1, PLACE.device);
const onProcessor = await loadAtOnce(1, 'CPU');
console.log(JSON.stringify({ first, again, onProcessor }));
