/**
 * Runs every test file, or those whose path contains one of the arguments: `npm run test:run -- engine`. Files that measure
 * the processor's time, the event loop or the memory's size run alone, behind the others, of which two run at once; one
 * summary stands at the end, with the files that took longest.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

/** A bound of seconds on a clock is none of these: a neighbour does not break it. */
const MEASURES = /cpuUsage|memoryUsage|maxRSS|stretch\.js/;
/** Counts of the runner's summary, in its order. */
const COUNTS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo', 'duration_ms'];

/** Files that the summary names. */
const SLOWEST = 10;

const root = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(root, { recursive: true })
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort()
  .map((name) => join(root, name));

if (files.length === 0) {
  console.error(`Expected test files whose path contains ${wanted.join(' or ')}, found none in ${root}.`);
  process.exit(2);
}

const measures = (file) => MEASURES.test(readFileSync(file, 'utf8'));
const rounds = [
  // A device is asked by one at a time.
  { files: files.filter((file) => !measures(file)), concurrency: process.env.ETA_VLM_TEST_DEVICE ? 1 : 2 },
  { files: files.filter(measures), concurrency: 1 },
];

/** What both rounds tell, their summaries made one. */
async function* told() {
  const sums = new Map(COUNTS.map((name) => [name, 0]));
  const seconds = new Map();
  for (const round of rounds) {
    if (round.files.length === 0) continue;
    for await (const event of run(round)) {
      if (event.data.nesting === 0 && event.data.details?.duration_ms !== undefined && event.type !== 'test:complete')
        seconds.set(event.data.file, (seconds.get(event.data.file) ?? 0) + event.data.details.duration_ms / 1000);
      const [name, count] = event.type === 'test:diagnostic' ? event.data.message.split(' ') : [];
      if (event.data.nesting === 0 && sums.has(name)) sums.set(name, sums.get(name) + Number(count));
      else yield event;
      if (event.type === 'test:fail') process.exitCode = 1;
    }
  }
  const said = (message) => ({ type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } });
  for (const [name, count] of sums) yield said(`${name} ${count}`);
  if (files.length <= SLOWEST) return;
  for (const [file, sum] of [...seconds].sort(([, a], [, b]) => b - a).slice(0, SLOWEST))
    yield said(`${sum.toFixed(0)} s in ${relative(root, file)}`);
}

await pipeline(Readable.from(told()), new spec(), process.stdout, { end: false });
