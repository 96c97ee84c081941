/** Run by long-text.test.ts in a process of its own: how long the event loop stands still while a long text is read. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { tinyModel } from './fixture.js';

await using model = await tinyModel();
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
await new Promise((resolve) => setTimeout(resolve, 50)); // the first interval is not counted
const tokens = await model.tokenize('中'.repeat(250_000));
await new Promise((resolve) => setTimeout(resolve, 50));
process.stdout.write(JSON.stringify({ tokenCount: tokens.length, longestGapMs: delay.max / 1e6 }));
