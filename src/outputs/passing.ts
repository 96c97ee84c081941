/** Refusals that pass: what Windows and network folders say of a file while another opens, renames or removes it. */
import { setTimeout as sleep } from 'node:timers/promises';

const PASSING = new Set(['EPERM', 'EBUSY', 'ESTALE']);
const TRY_COUNT = 10;
/** Between two tries, in ms; together half a second. */
const PAUSE_MS = 50;

/** Tries again while the system refuses so, for half a second. @throws what it threw last */
export async function untilPassed<Value>(call: () => Promise<Value>): Promise<Value> {
  for (let tryCount = 1; ; tryCount++) {
    try {
      return await call();
    } catch (error) {
      if (tryCount === TRY_COUNT || !PASSING.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      await sleep(PAUSE_MS);
    }
  }
}
