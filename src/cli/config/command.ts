/** Options of `eta-vlm config`. */
import type { Command } from 'commander';
import { withInterrupt } from '../../terminal/interrupt.js';
import { child } from '../child.js';

export function addConfig(program: Command): void {
  child(program, 'config', 'Show which choices count, and where each comes from.')
    .option('--json', 'print one JSON object')
    .action(async (options: import('./config.js').ConfigOptions) => {
      await withInterrupt(async () => {
        const { showConfig } = await import('./config.js');
        process.exitCode = showConfig(options);
      });
    });
}
