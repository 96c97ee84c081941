/**
 * Stops a running batch, again and again, and looks whether anything was lost, doubled or changed.
 *
 * The batch is the built command line with --repeatable and --ordered. Half of the kills come at a random time after the
 * start, loading included; the other half within a few milliseconds of a line's arrival in the file, where the writing is.
 * SIGKILL, SIGTERM, SIGINT and SIGHUP come in turn; a batch that hears them must end with its exit code, whole lines, no lock
 * and no draft. After each kill every whole line that stood before must stand still. The file at the end must hold every id once, and be
 * the file, byte for byte, of a run that nobody broke.
 *
 *     npm run build && node --import tsx bench/batch-kills.ts [--kills 100] [--requests 500] [--concurrency 8] [--seed 1]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { deriveSeed } from '../src/engine/index.js';
import { galleryRequests } from './gallery-requests.js';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    requests: { type: 'string', default: '500' },
    concurrency: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    main: { type: 'string', default: fileURLToPath(new URL('../dist/cli/main.js', import.meta.url)) },
  },
});
const [killCount, requestCount, seed] = [values.kills, values.requests, values.seed].map(Number) as [
  number,
  number,
  number,
];

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-kills-'));
const requests = galleryRequests(requestCount);
const requestsPath = join(folder, 'requests.jsonl');
writeFileSync(requestsPath, requests.map((request) => `${JSON.stringify(request)}\n`).join(''));

function start(out: string): ChildProcess {
  const args = ['batch', requestsPath, '--out', out, '--resume', '--repeatable', '--ordered', '--max-tokens', '96'];
  return spawn(process.execPath, [values.main, ...args, '--concurrency', values.concurrency], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

/** Runs to the end; returns the exit code. */
async function finish(out: string): Promise<number | null> {
  const child = start(out);
  child.stderr?.pipe(process.stderr);
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}

const sizeOf = (path: string) => (existsSync(path) ? statSync(path).size : 0);
const wholeText = (path: string) => {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return { whole: text.slice(0, text.lastIndexOf('\n') + 1), torn: text.slice(text.lastIndexOf('\n') + 1) };
};
/** Each with the exit code that it must end with; null for the one that nobody hears. */
const SIGNALS = [
  ['SIGKILL', null],
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 129],
] as const;
const draftsIn = (path: string) => readdirSync(path).filter((name) => name.endsWith('.draft'));
/** From 0 to 1, the same for each run of this script. */
const random = (index: number, draw: number) => deriveSeed(seed, index, draw) / 2 ** 32;

console.log(
  `${requestCount} requests, ${killCount} kills, concurrency ${values.concurrency}, seed ${seed}; load ${loadavg()[0]?.toFixed(1)}`,
);
const unbroken = join(folder, 'unbroken.jsonl');
const startedAt = performance.now();
let code = await finish(unbroken);
const unbrokenMs = performance.now() - startedAt;
console.log(`unbroken: exit code ${code}, ${(unbrokenMs / 1000).toFixed(1)} s`);

const broken = join(folder, 'broken.jsonl');
const faults: string[] = [];
const ends = { loading: 0, answering: 0, ordering: 0, ended: 0 };
const stops: Record<string, number> = {};
let unheardCount = 0;
let tornCount = 0;
let beforeText = '';
for (let kill = 0; kill < killCount; kill++) {
  const child = start(broken);
  let stderr = '';
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const closed = once(child, 'close');
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const startBytes = sizeOf(broken);
  const launchedAt = performance.now();
  // The answers left are shared out, so that all kills find some: after so many bytes, or so many ms.
  const left = Math.max(0, requestCount - beforeText.split('\n').length + 1);
  if (kill % 2 === 0) {
    const wantedLines = 1 + Math.floor((random(kill, 0) * 2 * left) / (killCount - kill));
    for (let lines = 0, size = startBytes; lines < wantedLines && !hasEnded(); ) {
      await sleep(1);
      const now = sizeOf(broken);
      if (now !== size) lines++;
      size = now;
    }
    await sleep(random(kill, 1) * 4);
  } else {
    const untilMs = random(kill, 0) * ((2 * unbrokenMs) / killCount + 4000);
    while (performance.now() - launchedAt < untilMs && !hasEnded()) await sleep(5);
  }
  const isOrdering = draftsIn(folder).length > 0;
  // Two kills in a row come at unlike places: both ways with every signal.
  const [signal, exitCode] = SIGNALS[(kill >> 1) % SIGNALS.length] ?? SIGNALS[0];
  const isRunning = !hasEnded();
  child.kill(signal);
  await closed;
  stops[signal] = (stops[signal] ?? 0) + 1;
  const { whole, torn } = wholeText(broken);
  if (torn !== '') tornCount++;
  // It ended before the signal, or was not yet up to hear it.
  const isStopped = child.signalCode === signal || (exitCode !== null && child.exitCode === exitCode);
  if (child.signalCode === signal && exitCode !== null) unheardCount++;
  if (exitCode !== null && child.exitCode === exitCode && isRunning) {
    const left = [
      ...draftsIn(folder),
      ...(existsSync(`${broken}.lock`) ? ['the lock'] : []),
      ...(torn === '' ? [] : ['a torn line']),
    ];
    if (left.length > 0) faults.push(`kill ${kill}: ${signal} left ${left.join(', ')}`);
  }
  if (!isStopped) ends.ended++;
  else if (isOrdering) ends.ordering++;
  else if (whole.length === startBytes) ends.loading++;
  else ends.answering++;
  if (!isStopped && child.exitCode !== 0) faults.push(`kill ${kill}: it ended with ${child.exitCode}: ${stderr}`);
  // A finished run has put the lines into another order.
  const isKept = whole.startsWith(beforeText) || beforeText.split('\n').every((line) => whole.includes(line));
  if (!isKept) faults.push(`kill ${kill}: a line that stood before is gone`);
  beforeText = whole;
  if (kill % 10 === 9)
    console.log(`  ${kill + 1} kills, ${whole.split('\n').length - 1} lines, load ${loadavg()[0]?.toFixed(1)}`);
}
code = await finish(broken);
if (draftsIn(folder).length > 0) faults.push('a draft is left');

const counts = new Map<string, number>();
for (const line of readFileSync(broken, 'utf8').trimEnd().split('\n')) {
  const { id } = JSON.parse(line) as { id: string };
  counts.set(id, (counts.get(id) ?? 0) + 1);
}
const missingCount = requests.filter(({ id }) => !counts.has(id)).length;
const doubledCount = [...counts.values()].filter((count) => count > 1).length;
const isSame = readFileSync(broken).equals(readFileSync(unbroken));
console.log(
  `${Object.entries(stops)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')}; unheard while starting ${unheardCount}`,
);
console.log(
  `stopped while loading ${ends.loading}, answering ${ends.answering}, ordering ${ends.ordering}; had ended ${ends.ended}; torn last lines ${tornCount}`,
);
console.log(
  `then: exit code ${code}, ids ${counts.size}, missing ${missingCount}, doubled ${doubledCount}, byte for byte as unbroken: ${isSame ? 'yes' : 'NO'}`,
);
for (const fault of faults) console.log(fault);
const isRight = faults.length === 0 && code === 0 && missingCount === 0 && doubledCount === 0 && isSame;
if (isRight) rmSync(folder, { recursive: true });
else console.log(`The files are in ${folder}.`);
process.exitCode = isRight ? 0 : 1;
