/** Loads an Eta where the system leaves so many threads more, and says what came of it; thread-limit.test.ts starts it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { loadEta } from '../../dist/index.js';

const [more, threadCount] = process.argv.slice(2).map(Number);
const here = Number(/^Threads:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
const { status, stderr } = spawnSync('prlimit', [`--pid=${process.pid}`, `--nproc=${here + more}:`], {
  encoding: 'utf8',
});
if (status !== 0) throw new Error(stderr);
try {
  const eta = await loadEta({ threadCount, signal: AbortSignal.timeout(20_000) });
  await eta.dispose();
  console.log('loaded');
} catch (error) {
  console.log(`${error.code} ${error.message}`);
}
