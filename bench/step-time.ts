/**
 * Time of a decode step against the number of sequences in it, against as many sequences one after another. CPU time
 * stands beside wall time, because it holds on a machine that has other work too. What is left of a step outside of
 * llama_decode and of sampling, JavaScript included, has a limit at 16 sequences. A step is what more tokens take: each count
 * is run short and long, and what their beginning takes falls out.
 *
 *     node --import tsx bench/step-time.ts [--model FILE|smallest|160m|1.1b|7b] [--weights q8_0] [--threads N]
 *                                          [--vocabulary llama-spm|qwen2] [--tokens 16] [--prefix 512]
 */
import { benchModel, benchOptions, configuration, median, tokenRow } from './engine-model.js';

const REPEATS = 5;
const COUNTS = [1, 2, 5, 8, 16];
const OUTSIDE_LIMIT_US = 50;
const options = benchOptions({ tokens: 16, prefix: 512 });

await using model = await benchModel(options);
await using context = await model.createContext({ contextSize: 4096, sequenceCount: 17 });
console.log(configuration(model, context));
console.log(`prefix ${options.prefix} tokens, ${options.tokens} tokens a sequence, median of ${REPEATS}`);

await using lease = await context.reserve({ cellCount: 4000, sequenceCount: 17 });
const parent = await lease.createSequence();
await parent.prefill([tokenRow(model, options.prefix)]);

interface StepTime {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly sampleMs: number;
  /** Outside of llama_decode and of sampling. */
  readonly outsideMs: number;
}

/** Of all steps of a run. Each lane begins with a token of its own, because equal lanes would share their rows. */
async function run(count: number, tokens: number): Promise<StepTime & { readonly steps: number }> {
  const lanes = await parent.fork(count);
  await Promise.all(lanes.map((lane, index) => lane.prefill([tokenRow(model, 1, 1 + index)])));
  const before = await context.statistics();
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  await Promise.all(lanes.map((lane) => lane.decode({ sampler: { temperature: 0 }, maxTokens: tokens })));
  const { user, system } = process.cpuUsage(cpu);
  const wallMs = performance.now() - startedAt;
  const after = await context.statistics();
  const sampleMs = after.sampleMs - before.sampleMs;
  const outsideMs = wallMs - (after.decodeMs - before.decodeMs) - sampleMs;
  await Promise.all(lanes.map((lane) => lane.release()));
  return { wallMs, cpuMs: (user + system) / 1000, sampleMs, outsideMs, steps: after.stepCount - before.stepCount };
}

async function step(count: number): Promise<StepTime> {
  const short = await run(count, 2);
  const long = await run(count, 2 + options.tokens);
  const each = (key: keyof StepTime) => (long[key] - short[key]) / (long.steps - short.steps);
  return { wallMs: each('wallMs'), cpuMs: each('cpuMs'), sampleMs: each('sampleMs'), outsideMs: each('outsideMs') };
}

await run(2, options.tokens); // warm
const times = new Map<number, StepTime[]>(COUNTS.map((count) => [count, []]));
for (let repeat = 0; repeat < REPEATS; repeat++) {
  for (const count of COUNTS) times.get(count)?.push(await step(count)); // in turns, so that other work hits all alike
}
const middle = (values: readonly StepTime[] = []): StepTime => ({
  wallMs: median(values.map((value) => value.wallMs)),
  cpuMs: median(values.map((value) => value.cpuMs)),
  sampleMs: median(values.map((value) => value.sampleMs)),
  outsideMs: median(values.map((value) => value.outsideMs)),
});
const one = middle(times.get(1));
const column = (value: number, digits: number, width: number) => value.toFixed(digits).padStart(width);
for (const [count, values] of times) {
  const { wallMs, cpuMs, sampleMs, outsideMs } = middle(values);
  const least = Math.min(...values.map((value) => value.outsideMs));
  console.log(
    `N = ${column(count, 0, 2)}   step ${column(wallMs, 2, 8)} ms (${column(wallMs / one.wallMs, 2, 5)})   ` +
      `CPU ${column(cpuMs, 2, 8)} ms (${column(cpuMs / one.cpuMs, 2, 5)})   a token ${column(wallMs / count, 2, 7)} ms   ` +
      `one after another : together = ${column((one.cpuMs * count) / cpuMs, 2, 4)} : 1 of CPU time   ` +
      `sampling ${column(1000 * sampleMs, 0, 5)} us   outside ${column(1000 * outsideMs, 0, 4)} us, least ${column(1000 * least, 0, 4)}`,
  );
}
const outsideUs = 1000 * middle(times.get(16)).outsideMs;
const limitHolds = outsideUs <= OUTSIDE_LIMIT_US;
console.log(
  `limit ${OUTSIDE_LIMIT_US} us a step of 16 outside of llama_decode and sampling: ${limitHolds ? 'holds' : 'does not hold'}`,
);
process.exitCode = limitHolds ? 0 : 1;
