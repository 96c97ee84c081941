/** The tiny random-weight models of test/golden/engine, on the real addon. */
import { fileURLToPath } from 'node:url';
import {
  type Context,
  type ContextOptions,
  type Lease,
  Model,
  type ModelOptions,
  type Sequence,
} from '../../src/engine/index.js';
import { decodeImage } from '../../src/image/index.js';
import type { NativePart } from '../../src/native/context-types.js';
import type { NativeImage } from '../../src/native/image-types.js';
import { PLACE } from '../device.js';

export function golden(name: string): string {
  return fileURLToPath(new URL(`../golden/engine/${name}`, import.meta.url));
}

/** Exact numbers need F32 cells and no flash attention. */
export const EXACT: ContextOptions = { contextSize: 1024, sequenceCount: 16, cacheType: 'f32', flashAttention: 'off' };

export async function tinyModel(options: Partial<ModelOptions> = {}): Promise<Model> {
  return await Model.load({
    modelPath: golden('tiny.gguf'),
    projectorPath: golden('tiny-projector.gguf'),
    ...PLACE,
    threadCount: 1,
    ...options,
  });
}

export async function picture(model: Model, name = 'square.png'): Promise<NativeImage> {
  return await model.encodeImage(await decodeImage(golden(name)));
}

/** A sequence with this prompt decoded, in a lease of its own. */
export async function started(
  context: Context,
  parts: readonly NativePart[],
  demand = { cellCount: 128, sequenceCount: 1 },
): Promise<{ lease: Lease; sequence: Sequence }> {
  const lease = await context.reserve(demand);
  const sequence = await lease.createSequence();
  await sequence.prefill(parts);
  return { lease, sequence };
}

/** Greedy text of a prompt, alone in a fresh context. */
export async function aloneText(model: Model, parts: readonly NativePart[], maxTokens: number): Promise<string> {
  await using context = await model.createContext(EXACT);
  const { sequence } = await started(context, parts);
  return (await sequence.decode({ sampler: { temperature: 0 }, maxTokens })).text;
}

export const QUESTIONS = [
  'The red apple is on the left.',
  'What colour is the chair?',
  'How many birds are there?',
  'Is there a hammer?',
  'I cannot help with that.',
  'Tell me about the picture.',
  'A person asks the assistant.',
  'Fill in the list: 1. 2. 3.',
];
