/**
 * How long a running answer stands still while a long prompt and a picture come in beside it: the longest gap between two
 * of its tokens, against the steps that it has to wait for. A random model of LLaVA's shape, whose picture has 576 rows.
 *
 *     node --import tsx bench/token-gap.ts [--model 160m|1.1b] [--weights q8_0] [--threads N] [--prompt 4000] [--folder DIR]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Model, type Sequence } from '../src/engine/index.js';
import type { NativePart } from '../src/native/context-types.js';
import { type HollowWeights, SHAPES } from '../test/engine/hollow-model.js';
import { configuration, median, tokenRow } from './engine-model.js';
import { randomModel } from './random-model.js';

/** One step of the newcomer, and the answer's own. */
const LIMIT_STEPS = 2;
const { values } = parseArgs({
  options: {
    model: { type: 'string', default: '160m' },
    weights: { type: 'string', default: 'q8_0' },
    threads: { type: 'string' },
    prompt: { type: 'string', default: '4000' },
    folder: { type: 'string' },
  },
});
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'eta-vlm-token-gap-'));
const shape = SHAPES[values.model as keyof typeof SHAPES];
const files = randomModel(folder, shape, values.weights as HollowWeights);
try {
  await measure();
} finally {
  if (values.folder === undefined) rmSync(folder, { recursive: true });
}

async function measure(): Promise<void> {
  const threadCount = values.threads === undefined ? undefined : Number(values.threads);
  await using model = await Model.load({ modelPath: files.languageModel, projectorPath: files.projector, threadCount });
  const promptLength = Number(values.prompt);
  await using context = await model.createContext({ contextSize: promptLength + 2048, sequenceCount: 4 });
  console.log(configuration(model, context));
  const { batchSize } = context.facts;
  const data = new Uint8Array(336 * 336 * 3).map((_, index) => (index * 31) % 251);
  const encodedAt = performance.now();
  const image = await model.encodeImage({ data, width: 336, height: 336 });
  console.log(`encoding the picture, which nothing runs beside: ${(performance.now() - encodedAt).toFixed(0)} ms`);
  await using lease = await context.reserve({ cellCount: promptLength + 1900, sequenceCount: 4 });

  const answer = await lease.createSequence();
  await answer.prefill([tokenRow(model, 64)]);
  const newcomers: readonly (readonly [string, NativePart[]])[] = [
    ['nothing', []],
    [`${promptLength} tokens`, [tokenRow(model, promptLength, 1)]],
    [`a picture of ${image.tokenCount} rows`, [tokenRow(model, 8, 2), image]],
  ];
  let limitHolds = true;
  for (const [name, parts] of newcomers) {
    const { stepsMs, wallMs, gaps } = await beside(answer, parts);
    const longest = Math.max(...gaps);
    limitHolds &&= longest <= LIMIT_STEPS * stepsMs;
    console.log(
      `beside ${name.padEnd(24)} ${wallMs.toFixed(0).padStart(6)} ms, ${String(gaps.length).padStart(4)} tokens; gaps: ` +
        `median ${median(gaps).toFixed(1)}, longest ${longest.toFixed(1)} ms; a whole step of ${batchSize} rows ${stepsMs.toFixed(1)} ms`,
    );
  }
  console.log(
    `limit of a gap, ${LIMIT_STEPS} whole steps: ${limitHolds ? 'holds' : 'does not hold'}; load ${loadavg()[0]?.toFixed(1)}`,
  );
  process.exitCode = limitHolds ? 0 : 1;

  /** The answer writes on until the parts are read. `stepsMs`: the longest of the steps meanwhile, and more where nothing came. */
  async function beside(sequence: Sequence, parts: NativePart[]) {
    const newcomer = await lease.createSequence();
    const gaps: number[] = [];
    const startedAt = performance.now();
    let isRead = false;
    const reading = parts.length === 0 ? Promise.resolve() : newcomer.prefill(parts).then(() => undefined);
    void reading.then(() => {
      isRead = true;
    });
    let last = performance.now();
    do {
      await sequence.decode({
        sampler: { temperature: 1, topK: 40, seed: gaps.length },
        maxTokens: 8,
        onText: () => {
          gaps.push(performance.now() - last);
          last = performance.now();
        },
      });
    } while (!isRead || gaps.length < 24);
    await reading;
    const wallMs = performance.now() - startedAt;
    await newcomer.release();
    return { stepsMs: await wholeStepMs(), wallMs, gaps };
  }

  /** A step of as many rows as there can be, at the end of a prompt as long as the longest. */
  async function wholeStepMs(): Promise<number> {
    const times: number[] = [];
    await using sequence = await lease.createSequence();
    for (let length = 0; length + batchSize <= promptLength; length += batchSize) {
      const startedAt = performance.now();
      await sequence.prefill([tokenRow(model, batchSize, 3 + length)]);
      times.push(performance.now() - startedAt);
    }
    return Math.max(...times);
  }
}
