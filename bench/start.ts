/**
 * How long the command line takes, whole process: `--help` against an empty Node process (limit 150 ms), and an answer of
 * the miniature's, with ETA and without, against Node that has imported sharp, which every picture needs (goal 1.6 times).
 * All in turn, so that whatever else runs is beside each.
 *
 *     npm run build && node --import tsx bench/start.ts [runs]
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

const HELP_LIMIT_MS = 150;
const ASK_GOAL = 1.6;

const runCount = Number(process.argv[2] ?? 21);
const root = fileURLToPath(new URL('..', import.meta.url));
const main = 'dist/cli/main.js';
const ask = [
  main,
  'ask',
  '--image',
  'models/miniature/pictures/clean-04.png',
  '--seed',
  '1',
  'What is in the picture?',
];

/** By name: the words behind `node`. */
const PROGRAMS = {
  'node -e 0': ['-e', '0'],
  'eta-vlm --help': [main, '--help'],
  "node -e import('sharp')": ['-e', "import('sharp')"],
  'ask, vanilla': [...ask, '--method', 'vanilla'],
  ask,
} as const;

type Name = keyof typeof PROGRAMS;
const names = Object.keys(PROGRAMS) as Name[];

function elapsed(name: Name): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, PROGRAMS[name], { encoding: 'utf8', cwd: root });
  if (status !== 0) throw new Error(`node ${PROGRAMS[name].join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - startedAt;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const load = () => loadavg()[0]?.toFixed(1);

for (const name of names) elapsed(name); // warm: files come from the disk cache, and what was verified is remembered
const before = load();
const times = new Map<Name, number[]>(names.map((name) => [name, []]));
for (let i = 0; i < runCount; i++) for (const name of names) times.get(name)?.push(elapsed(name));

console.log(
  `Node ${process.version}, ${availableParallelism()} processors, load ${before} before and ${load()} after, ${runCount} runs`,
);
const of = (name: Name) => median(times.get(name) ?? []);
const row = (name: Name, said = '') =>
  console.log(
    `${name.padEnd(24)} median ${of(name).toFixed(0).padStart(5)} ms, least ${Math.min(...(times.get(name) ?? []))
      .toFixed(0)
      .padStart(5)} ms${said}`,
  );
const against = (name: Name, other: Name) => `, ${(of(name) / of(other)).toFixed(2)} times`;
row('node -e 0');
row('eta-vlm --help', `${against('eta-vlm --help', 'node -e 0')} (limit ${HELP_LIMIT_MS} ms)`);
row("node -e import('sharp')");
row('ask, vanilla', against('ask, vanilla', "node -e import('sharp')"));
row('ask', `${against('ask', "node -e import('sharp')")} (goal ${ASK_GOAL})`);
process.exitCode = of('eta-vlm --help') <= HELP_LIMIT_MS ? 0 : 1;
