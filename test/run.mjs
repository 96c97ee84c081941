/**
 * Runs every test file, or those whose path contains one of the arguments: `npm run test:run -- engine`. Files that read a
 * clock or the memory's size run alone, behind the others, of which two run at once; one summary stands at the end.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const MEASURES = /performance\.now|Date\.now|cpuUsage|hrtime|memoryUsage|maxRSS|eventLoop|stretch\.js/;
/** Counts of the runner's summary, in its order. */
const COUNTS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo', 'duration_ms'];

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
  for (const round of rounds) {
    if (round.files.length === 0) continue;
    for await (const event of run(round)) {
      const [name, count] = event.type === 'test:diagnostic' ? event.data.message.split(' ') : [];
      if (event.data.nesting === 0 && sums.has(name)) sums.set(name, sums.get(name) + Number(count));
      else yield event;
      if (event.type === 'test:fail') process.exitCode = 1;
    }
  }
  for (const [name, count] of sums)
    yield { type: 'test:diagnostic', data: { nesting: 0, message: `${name} ${count}`, level: 'info' } };
}

await pipeline(Readable.from(told()), new spec(), process.stdout, { end: false });
