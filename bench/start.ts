/**
 * How long `eta-vlm --help` takes, whole process, against an empty Node process of the same run.
 *
 *     npm run build && node --import tsx bench/start.ts [runs]
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';

const LIMIT_MS = 150;
const runCount = Number(process.argv[2] ?? 21);
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

function elapsed(args: readonly string[]): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
  return performance.now() - startedAt;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const bare: number[] = [];
const help: number[] = [];
elapsed([main, '--help']); // warm: the files come from the disk cache from here on
for (let i = 0; i < runCount; i++) {
  bare.push(elapsed(['-e', '0']));
  help.push(elapsed([main, '--help']));
}
console.log(
  `Node ${process.version}, ${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}, ${runCount} runs`,
);
console.log(`node -e 0        median ${median(bare).toFixed(0)} ms, least ${Math.min(...bare).toFixed(0)} ms`);
console.log(
  `eta-vlm --help   median ${median(help).toFixed(0)} ms, least ${Math.min(...help).toFixed(0)} ms (limit ${LIMIT_MS} ms)`,
);
console.log(`ratio            ${(median(help) / median(bare)).toFixed(2)}`);
process.exitCode = median(help) <= LIMIT_MS ? 0 : 1;
