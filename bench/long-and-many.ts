/**
 * Long prompts, many requests and many pictures at once: requests begin together, each with a prompt and pictures of its
 * own; how long each waits for its first token, how many tokens a second come in all, and the longest gap between two
 * tokens of an answer that runs. A random model of LLaVA's shape, whose picture has 576 rows.
 *
 *     node --import tsx bench/long-and-many.ts [--model 160m|1.1b] [--weights q8_0] [--threads N] [--tokens 32]
 *                                              [--only 16x1000,1x16000] [--folder DIR]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Context, Model } from '../src/engine/index.js';
import { type HollowWeights, SHAPES } from '../test/engine/hollow-model.js';
import { configuration, median, tokenRow } from './engine-model.js';
import { randomModel } from './random-model.js';

/** Requests at once, tokens of each prompt, pictures of each. */
const CASES = [
  [1, 1000, 0],
  [4, 1000, 0],
  [16, 1000, 0],
  [4, 4000, 0],
  [1, 16000, 0],
  [1, 100, 1],
  [1, 100, 8],
  [4, 100, 2],
] as const;
type Case = (typeof CASES)[number];
const nameOf = ([requests, length, pictures]: Case) => `${requests}x${length}${pictures === 0 ? '' : `+${pictures}`}`;

type EncodedImage = Awaited<ReturnType<Model['encodeImage']>>;

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: '160m' },
    weights: { type: 'string', default: 'q8_0' },
    threads: { type: 'string' },
    tokens: { type: 'string', default: '32' },
    only: { type: 'string' },
    folder: { type: 'string' },
  },
});
const only = values.only?.split(',');
const chosen = CASES.filter((one) => only === undefined || only.includes(nameOf(one)));
if (chosen.length === 0) throw new Error(`--only: expected some of ${CASES.map(nameOf).join(', ')}`);
const tokens = Number(values.tokens);
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'eta-vlm-long-'));
const files = randomModel(folder, SHAPES[values.model as keyof typeof SHAPES], values.weights as HollowWeights);
const threadCount = values.threads === undefined ? undefined : Number(values.threads);
try {
  await using model = await Model.load({ modelPath: files.languageModel, projectorPath: files.projector, threadCount });
  const images: EncodedImage[] = [];
  const most = Math.max(...chosen.map(([, , pictures]) => pictures));
  for (let shade = 1; shade <= most; shade++) {
    const data = new Uint8Array(336 * 336 * 3).map((_, index) => (index * shade * 31) % 251);
    images.push(await model.encodeImage({ data, width: 336, height: 336 }));
  }
  for (const [index, one] of chosen.entries()) await measure(model, images, one, index === 0);
} finally {
  if (values.folder === undefined) rmSync(folder, { recursive: true });
}

async function measure(model: Model, images: EncodedImage[], one: Case, isFirst: boolean): Promise<void> {
  const [requests, length, pictures] = one;
  const rows = length + images.slice(0, pictures).reduce((sum, { tokenCount }) => sum + tokenCount, 0);
  const contextSize = requests * (rows + tokens + 8) + 256;
  await using context = await model.createContext({ contextSize, sequenceCount: requests + 1 });
  if (isFirst) console.log(configuration(model, context));
  await answer(model, context, { seed: 99, length: 64, images: [] }); // warm
  const startedAt = performance.now();
  const runs = await Promise.all(
    Array.from({ length: requests }, (_, seed) =>
      answer(model, context, { seed, length, images: images.slice(0, pictures) }),
    ),
  );
  const wallMs = performance.now() - startedAt;
  const gaps = runs.flatMap(({ gapsMs }) => gapsMs);
  const firsts = runs.map(({ firstMs }) => firstMs);
  console.log(
    `${nameOf(one).padEnd(9)} ${rows} rows each: first token after ${median(firsts).toFixed(0)} ms (last ${Math.max(...firsts).toFixed(0)}), ` +
      `${((requests * rows) / (Math.max(...firsts) / 1000)).toFixed(0)} rows a second until then; whole ${wallMs.toFixed(0)} ms; ` +
      `gaps: median ${median(gaps).toFixed(1)}, longest ${Math.max(...gaps).toFixed(1)} ms; ` +
      `a step of ${context.facts.batchSize} rows behind ${rows - context.facts.batchSize}: ${(await wholeStepMs(model, context, rows)).toFixed(1)} ms; load ${loadavg()[0]?.toFixed(1)}`,
  );
}

interface Asked {
  readonly seed: number;
  readonly length: number;
  readonly images: readonly EncodedImage[];
}

async function answer(model: Model, context: Context, { seed, length, images }: Asked) {
  const rows = length + images.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
  const startedAt = performance.now();
  await using lease = await context.reserve({ cellCount: rows + tokens + 8, sequenceCount: 1 });
  const sequence = await lease.createSequence();
  await sequence.prefill([...images, tokenRow(model, length, 1 + seed)]);
  const gapsMs: number[] = [];
  let firstMs = 0;
  let last = 0;
  for (let token = 0; token < tokens; token++) {
    await sequence.decode({ sampler: { temperature: 1, topK: 40, seed: 1000 * seed + token }, maxTokens: 1 });
    const now = performance.now();
    if (token === 0) firstMs = now - startedAt;
    else gapsMs.push(now - last);
    last = now;
  }
  return { firstMs, gapsMs };
}

/** The last whole step of a prompt of so many rows, alone. */
async function wholeStepMs(model: Model, context: Context, rows: number): Promise<number> {
  const { batchSize } = context.facts;
  const before = Math.max(0, rows - batchSize);
  await using lease = await context.reserve({ cellCount: before + batchSize + 8, sequenceCount: 1 });
  const sequence = await lease.createSequence();
  if (before > 0) await sequence.prefill([tokenRow(model, before, 7)]);
  const startedAt = performance.now();
  await sequence.prefill([tokenRow(model, Math.min(rows, batchSize), 8)]);
  return performance.now() - startedAt;
}
