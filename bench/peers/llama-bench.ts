/** llama-bench, one run of one test. */
import { execFileSync } from 'node:child_process';
import { peer } from './programs.js';

/** Tokens a second; it warms up by itself. */
export function llamaBench(languageModel: string, test: readonly string[], threadCount: number | undefined): number {
  const threads = threadCount === undefined ? [] : ['-t', String(threadCount)];
  const args = ['-m', languageModel, '-r', '1', '-o', 'json', ...test, ...threads];
  const told = execFileSync(peer('llama-bench'), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [result] = JSON.parse(told) as [{ readonly avg_ts: number }];
  return result.avg_ts;
}
