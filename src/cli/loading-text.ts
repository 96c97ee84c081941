import type { LoadProgress } from '../index.js';

/** What is being loaded, in words. */
export function loadingText({ part, fraction }: LoadProgress): string {
  const name = { 'language-model': 'the language model', clip: 'CLIP', 'reward-model': 'the reward model' }[part];
  return `loading ${name} ... ${Math.round(fraction * 100)} %`;
}
