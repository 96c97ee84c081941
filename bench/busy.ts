/** Other work, for measurements beside it: processes that keep a core busy each. */
import { spawn } from 'node:child_process';

/** Ends by itself where nobody is left to end it. */
const SPIN = 'for (const end = Date.now() + 3_600_000; Date.now() < end; );';

/** Until they have got going. */
const SETTLE_MS = 2000;

/** Starts so many. @returns what ends them */
export async function keepBusy(count: number): Promise<() => void> {
  const children = Array.from({ length: count }, () => spawn(process.execPath, ['-e', SPIN]));
  const end = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', end);
  if (count > 0) await new Promise((done) => setTimeout(done, SETTLE_MS));
  return end;
}
