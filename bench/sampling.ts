/**
 * What a draw takes, by sampler and vocabulary: the engine's own file, compiled alone, in processor time.
 *
 *     node --import tsx bench/sampling.ts
 */
import { loadavg } from 'node:os';
import { program } from '../test/native/program.js';

const lines = await program('sampler', { engine: ['sampler.cpp'], args: ['time'], optimise: '-O3' });
console.log(`microseconds of processor time a token, least of 15 rounds; load ${loadavg()[0]?.toFixed(1)}`);
for (const [sampler = '', vocabulary = '', microseconds = ''] of lines) {
  console.log(`${vocabulary.padStart(7)} tokens   ${sampler.padEnd(36)} ${microseconds.padStart(7)}`);
}
