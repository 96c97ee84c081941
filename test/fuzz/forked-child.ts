/** The side of forked.ts that tries: it tells before and after each case, so that where it ends in between, that case did it. */
import type { ForkedReport, ForkedTask } from './forked.js';
import { outcomeOf } from './tally.js';

/** @param use tries one case, and says how it went where it went well */
export function answerSeeds<Task>(use: (task: Task, seed: number) => Promise<string>, end?: () => Promise<void>): void {
  process.on('message', async ({ task, seeds }: ForkedTask<Task>) => {
    for (const seed of seeds) {
      tell({ begun: seed });
      tell({ ended: seed, outcome: await use(task, seed).catch(outcomeOf) });
    }
    await end?.();
    process.disconnect();
  });
}

function tell(report: ForkedReport): void {
  process.send?.(report);
}
