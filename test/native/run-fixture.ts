/** The tiny model, and a context for each test: one that fails leaves its sequences to nobody. */
import { after, afterEach, before, beforeEach } from 'node:test';
import type { NativeLogitsContext } from '../../src/native/context-types.js';
import type { NativeImage } from '../../src/native/image-types.js';
import type { NativeModel } from '../../src/native/model-types.js';
import { contextOptions, greedy, loadTiny, picture, prefilled, text } from './fixture.js';

export let model: NativeModel;
export let context: NativeLogitsContext;
export let image: NativeImage;

before(async () => {
  model = await loadTiny();
  image = await picture(model, 5);
});
beforeEach(async () => {
  context = await model.createContext(contextOptions());
});
afterEach(() => context.dispose());
after(() => model.dispose());

export const prompt = () => text(model, 'The red apple is on the left.');
export const entry = (sequence: number, maxTokens: number, pauseSet = -1) => ({ sequence, maxTokens, pauseSet });

export async function started(sampler = greedy): Promise<number> {
  const sequence = await prefilled(context, [await prompt()]);
  await context.setSampler(sequence, sampler);
  return sequence;
}
