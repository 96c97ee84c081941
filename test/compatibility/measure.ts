/** What our engine makes of a golden folder, against the original's numbers and against stock llama.cpp's. */
import { type Context, type ContextOptions, Model, type Sequence } from '../../src/engine/index.js';
import { EtaError } from '../../src/errors.js';
import { decodeImage } from '../../src/image/index.js';
import type { NativePart } from '../../src/native/context-types.js';
import type { NativeImage } from '../../src/native/image-types.js';
import { floats, type Golden, type GoldenCase, goldenFile } from './golden.js';

/** Exact numbers need F32 cells and no flash attention. */
const EXACT: ContextOptions = { contextSize: 2048, sequenceCount: 8, cacheType: 'f32', flashAttention: 'off' };
const GREEDY = { temperature: 0 } as const;

interface Forks {
  /** Largest logits difference of a fork that goes on, against a straight decode. */
  readonly fork: number;
  /** Whether two forks and their parent, decoded together, write the same text. */
  readonly textsEqual: boolean;
  /** Largest logits difference of three forks with other next tokens, decoded together, against each alone. */
  readonly batch: number;
  /** The same after a cut to the prompt's end, or the code that refuses it. */
  readonly trim: number | string;
}

export interface CaseMeasure {
  readonly golden: GoldenCase;
  /** Text tokens in front of and behind the pictures, and the pictures' rows; true, or what is different. */
  readonly tokens: true | string;
  readonly position: true | string;
  /** Largest difference of first-token logits, from the original's prompt (if ours is another, it is written out). */
  readonly fromOriginal: number;
  /** Undefined where stock llama.cpp was not recorded. */
  readonly fromStock: number | undefined;
  readonly greedyEqual: boolean;
  readonly greedyEqualsStock: boolean;
  readonly text: string;
  /** After our own prompt, which may differ from the original's. */
  readonly ourText: string;
}

export interface Measure {
  readonly golden: Golden;
  /** "yes", or the error. */
  readonly loads: string;
  readonly cases: readonly CaseMeasure[];
  readonly forks: Forks | undefined;
}

/**
 * Largest difference of a picture's logits when it is encoded again, in models loaded anew, while another architecture's
 * tower leaves its numbers in memory in between. NaN when some are not finite.
 */
export async function repeatDifference(golden: Golden, between: Golden, loads: number): Promise<number> {
  let first: Float32Array | undefined;
  let largest = 0;
  for (let load = 0; load < loads; load++) {
    const logits = await pictureLogits(golden);
    if (!logits.every(Number.isFinite)) return Number.NaN;
    first ??= logits;
    largest = Math.max(largest, largestDifference(first, logits));
    await pictureLogits(between);
  }
  return largest;
}

async function pictureLogits(golden: Golden): Promise<Float32Array> {
  const item = golden.cases?.find((one) => one.kind === 'exact');
  if (item === undefined) throw new Error(`${golden.name} has no picture`);
  await using model = await loadGolden(golden);
  await using context = await model.createContext(EXACT);
  const sequence = await started(context, await prompt(model, golden, item));
  return await sequence.logits();
}

async function loadGolden(golden: Golden): Promise<Model> {
  return await Model.load({
    modelPath: goldenFile(golden.name, golden.model),
    projectorPath: goldenFile(golden.name, 'mmproj.gguf'),
    gpuLayerCount: 0,
    threadCount: 1,
  });
}

export async function measure(golden: Golden): Promise<Measure> {
  if (golden.converts !== 'yes') return { golden, loads: 'not converted', cases: [], forks: undefined };
  let model: Model;
  try {
    model = await loadGolden(golden);
  } catch (error) {
    if (!(error instanceof EtaError)) throw error;
    return { golden, loads: `${error.code}: ${error.message}`, cases: [], forks: undefined };
  }
  await using loaded = model;
  const cases: CaseMeasure[] = [];
  for (const item of golden.cases ?? []) cases.push(await measureCase(loaded, golden, item));
  const forked = golden.cases?.find((item) => item.kind === 'exact');
  const forks = forked === undefined ? undefined : await measureForks(loaded, golden, forked);
  return { golden, loads: 'yes', cases, forks };
}

async function prompt(model: Model, golden: Golden, item: GoldenCase): Promise<NativePart[]> {
  const images: NativeImage[] = [];
  for (const picture of item.pictures) {
    images.push(await model.encodeImage(await decodeImage(goldenFile(golden.name, picture))));
  }
  return await model.prompt([{ role: 'user', text: item.question, images }]);
}

async function started(context: Context, parts: readonly NativePart[], sequenceCount = 1): Promise<Sequence> {
  const lease = await context.reserve({ cellCount: 1024, sequenceCount });
  const sequence = await lease.createSequence();
  await sequence.prefill(parts);
  return sequence;
}

async function measureCase(model: Model, golden: Golden, item: GoldenCase): Promise<CaseMeasure> {
  await using context = await model.createContext(EXACT);
  const ours = await prompt(model, golden, item);
  const tokens = compareTokens(ours, item.tokens);
  const parts = tokens === true ? ours : await originalParts(model, item, ours);
  const sequence = await started(context, parts);
  const position = sequence.position;
  const logits = await sequence.logits();
  const decoded = await sequence.decode({ sampler: GREEDY, maxTokens: item.greedy.length });
  const { stock } = item;
  const stockGreedy = stock.greedy === 'equal' ? item.greedy : (stock.greedy ?? []);
  return {
    golden: item,
    tokens,
    position: position === item.position || `${position} for ${item.position}`,
    fromOriginal: largestDifference(floats(item.logits), logits),
    fromStock: stock.logits === undefined ? undefined : largestDifference(floats(stock.logits), logits),
    greedyEqual: sameTokens(decoded.tokens, item.greedy),
    greedyEqualsStock: sameTokens(decoded.tokens, stockGreedy),
    text: decoded.text,
    ourText: tokens === true ? decoded.text : await greedyText(model, ours, item.greedy.length),
  };
}

async function greedyText(model: Model, parts: readonly NativePart[], maxTokens: number): Promise<string> {
  await using context = await model.createContext(EXACT);
  const sequence = await started(context, parts);
  return (await sequence.decode({ sampler: GREEDY, maxTokens })).text;
}

/** The original's prompt as parts, with our pictures. */
async function originalParts(model: Model, item: GoldenCase, ours: readonly NativePart[]): Promise<NativePart[]> {
  const { addsBeginToken, beginToken } = model.facts;
  const images = ours.filter((part) => !(part instanceof Int32Array));
  const parts: NativePart[] = addsBeginToken && beginToken !== null ? [Int32Array.of(beginToken)] : [];
  for (const [index, text] of item.prompt.split('<__media__>').entries()) {
    const image = images[index - 1];
    if (image !== undefined) parts.push(image);
    if (text !== '') parts.push(await model.tokenize(text, { parseSpecial: true }));
  }
  return parts;
}

/** Every text token in its place, and as many rows in between. The text rows inside a picture are libmtmd's own. */
function compareTokens(parts: readonly NativePart[], expected: readonly number[]): true | string {
  const count = parts.reduce((sum, part) => sum + (part instanceof Int32Array ? part.length : part.tokenCount), 0);
  if (count !== expected.length) return `${count} for ${expected.length}`;
  let at = 0;
  for (const part of parts) {
    const length = part instanceof Int32Array ? part.length : part.tokenCount;
    const there = expected.slice(at, at + length);
    if (part instanceof Int32Array) {
      if (!sameTokens([...part], there)) return `${part} for ${there}`;
    } else if (!there.includes(-1)) return `no picture at ${at}`;
    at += length;
  }
  return true;
}

async function measureForks(model: Model, golden: Golden, item: GoldenCase): Promise<Forks> {
  await using context = await model.createContext(EXACT);
  const parts = await prompt(model, golden, item);
  // The straight decode: everything alone, in contexts of its own.
  const nexts = item.greedy.slice(0, 3);
  const alone: Float32Array[] = [];
  for (const next of nexts) {
    await using straight = await model.createContext(EXACT);
    const sequence = await started(straight, parts);
    await sequence.append([Int32Array.of(next)]);
    alone.push(await sequence.logits());
  }
  const parent = await started(context, parts, 4);
  const [first, ...others] = await parent.fork(3);
  if (first === undefined) throw new Error('fork(3) gave nothing');
  await first.append([Int32Array.of(nexts[0] ?? 0)]);
  const fork = largestDifference(alone[0] ?? new Float32Array(), await first.logits());
  const trim = await cutDifference(first, nexts[0] ?? 0, alone[0] ?? new Float32Array());
  const decoded = await Promise.all(
    [parent, ...others].map((sequence) => sequence.decode({ sampler: GREEDY, maxTokens: 16 })),
  );
  const [own, ...texts] = decoded.map((one) => one.tokens);
  return {
    fork,
    textsEqual: texts.every((tokens) => sameTokens(tokens, own ?? [])),
    batch: await batchDifference(model, parts, nexts, alone),
    trim,
  };
}

/** Takes the last token away and gives it again. */
async function cutDifference(sequence: Sequence, last: number, expected: Float32Array): Promise<number | string> {
  try {
    await sequence.trim(sequence.tokenCount - 1);
  } catch (error) {
    if (!(error instanceof EtaError)) throw error;
    return error.code;
  }
  await sequence.append([Int32Array.of(last)]);
  return largestDifference(expected, await sequence.logits());
}

async function batchDifference(
  model: Model,
  parts: readonly NativePart[],
  nexts: readonly number[],
  alone: readonly Float32Array[],
): Promise<number> {
  await using context = await model.createContext(EXACT);
  const parent = await started(context, parts, 4);
  const forks = await parent.fork(nexts.length);
  await Promise.all(forks.map((sequence, index) => sequence.append([Int32Array.of(nexts[index] ?? 0)])));
  await Promise.all(forks.map((sequence) => sequence.prefill([])));
  const logits = await Promise.all(forks.map((sequence) => sequence.logits()));
  return Math.max(...logits.map((row, index) => largestDifference(alone[index] ?? new Float32Array(), row)));
}

function largestDifference(expected: Float32Array, received: Float32Array): number {
  if (received.length < expected.length || expected.length === 0) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (const [index, value] of expected.entries()) {
    largest = Math.max(largest, Math.abs(value - (received[index] ?? Number.NaN)));
  }
  return largest;
}

function sameTokens(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((token, index) => token === b[index]);
}
