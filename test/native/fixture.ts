/** The tiny random-weight model, and short names for what every native test does. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadBinding } from '../../src/native/binding.js';
import type {
  NativeContext,
  NativeContextOptions,
  NativeLogitsContext,
  NativePart,
} from '../../src/native/context-types.js';
import type { NativeImage } from '../../src/native/image-types.js';
import type { NativeModel, NativeModelOptions, NativeTokenizeOptions } from '../../src/native/model-types.js';
import { type NativeRunResult, resultsOf } from '../../src/native/run-results.js';
import type { NativeSamplerOptions } from '../../src/native/run-types.js';
import { PLACE } from '../device.js';

export const folder = fileURLToPath(new URL('../golden/engine/', import.meta.url));
export const modelPath = `${folder}tiny.gguf`;
export const projectorPath = `${folder}tiny-projector.gguf`;
export const binding = loadBinding();

/** What PyTorch computes from the same weights; see make.py beside it. */
export const golden: {
  tokenize: Record<string, { text: string; tokens: number[]; tokensWithSpecial: number[] }[]>;
  text: { tokens: number[]; firstLogits: number[]; greedyTokens: number[]; smallestMargin: number }[];
} = JSON.parse(readFileSync(`${folder}golden.json`, 'utf8'));

const OFF = { topK: 0, topP: 1, minP: 0, wantsLogProbabilities: true };
export const greedy: NativeSamplerOptions = { ...OFF, temperature: 0, seed: 0 };
export const hot = (seed: number): NativeSamplerOptions => ({ ...OFF, temperature: 1, topK: 40, seed });

export function modelOptions(overrides: Partial<NativeModelOptions> = {}): NativeModelOptions {
  return {
    modelPath,
    projectorPath,
    ...PLACE,
    threadCount: 1,
    useMmap: true,
    useMlock: false,
    ...overrides,
  };
}

export function loadTiny(overrides: Partial<NativeModelOptions> = {}): Promise<NativeModel> {
  return binding.loadModel(modelOptions(overrides)).model;
}

/** F32 cache without flash attention: what is computed twice is equal. */
export function contextOptions<Output extends NativeContextOptions['output'] = 'logits'>(
  overrides: Partial<NativeContextOptions> & { readonly output?: Output } = {},
): NativeContextOptions & { readonly output: Output } {
  return {
    cellCount: 512,
    sequenceCount: 8,
    batchSize: 64,
    microBatchSize: 64,
    threadCount: 1,
    measuresThreads: false,
    flashAttention: 'off',
    cacheType: 'f32',
    ...overrides,
    output: overrides.output ?? ('logits' as Output),
  };
}

/** Whole: no text here is as long as a slice. */
export const TOKENIZE: NativeTokenizeOptions = { isContinued: false, maxTokens: 2 ** 31 - 1, sliceBytes: 2 ** 20 };

export async function tokenize(model: NativeModel, words: string, parseSpecial = false): Promise<Int32Array> {
  return await model.tokenize([{ text: words, parseSpecial }], TOKENIZE).tokens;
}

/** With the begin token. */
export async function text(model: NativeModel, words: string): Promise<Int32Array> {
  const { addsBeginToken, beginToken } = model.facts;
  const begin = addsBeginToken && beginToken !== null ? [beginToken] : [];
  return Int32Array.from([...begin, ...(await tokenize(model, words))]);
}

export function picture(model: NativeModel, shade: number): Promise<NativeImage> {
  const data = new Uint8Array(40 * 30 * 3).map((_, index) => (index * shade) % 256);
  return model.encodeImage({ data, width: 40, height: 30 }).image;
}

/** A new sequence with these parts decoded. */
export async function prefilled(context: NativeContext, parts: readonly NativePart[]): Promise<number> {
  const sequence = await context.createSequence();
  await context.append(sequence, parts);
  await run(context, [sequence], 0);
  return sequence;
}

/** Runs until every one of the sequences stands still; tokens and probabilities of all calls together. */
export async function run(
  context: NativeContext,
  sequences: readonly number[],
  maxTokens: number,
  pauseSet = -1,
): Promise<NativeRunResult[]> {
  const done = new Map<number, NativeRunResult>();
  const tokens = new Map<number, number[]>(sequences.map((id) => [id, []]));
  const logs = new Map<number, number[]>(sequences.map((id) => [id, []]));
  while (done.size < sequences.length) {
    const entries = sequences
      .filter((sequence) => !done.has(sequence))
      .map((sequence) => ({ sequence, maxTokens: maxTokens - (tokens.get(sequence)?.length ?? 0), pauseSet }));
    const report = await context.run({ entries, stepBudget: 4 });
    for (const result of resultsOf(report)) {
      tokens.get(result.sequence)?.push(...result.tokens);
      logs.get(result.sequence)?.push(...result.logProbabilities);
      if (result.state !== 'running') done.set(result.sequence, result);
    }
  }
  return sequences.map((sequence) => {
    const result = done.get(sequence);
    if (result === undefined) throw new TypeError(`sequence ${sequence} never stood still`);
    return {
      ...result,
      tokens: Int32Array.from(tokens.get(sequence) ?? []),
      logProbabilities: Float32Array.from(logs.get(sequence) ?? []),
    };
  });
}

/** The single result of a run over one sequence. */
export async function runOne(context: NativeContext, sequence: number, maxTokens: number, pauseSet = -1) {
  const [result] = await run(context, [sequence], maxTokens, pauseSet);
  if (result === undefined) throw new TypeError('no result');
  return result;
}

/** Decodes tokens one by one or in one piece and gives the logits of the last. */
export async function logitsAfter(context: NativeLogitsContext, sequence: number, tokens: ArrayLike<number>) {
  await context.append(sequence, [Int32Array.from(tokens)]);
  await run(context, [sequence], 0);
  return await context.logits(sequence);
}

export function maxDifference(a: Float32Array, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((max, value, index) => Math.max(max, Math.abs(value - (b[index] ?? Number.NaN))), 0);
}
