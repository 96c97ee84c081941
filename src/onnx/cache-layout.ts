/** The key/value cache of a causal graph: names with {layer} and {kv}, tensors [1, heads, length, headSize]. */
export interface CacheLayout {
  readonly past: string;
  readonly present: string;
  readonly layers: number;
  readonly heads: number;
  readonly headSize: number;
  readonly dtype: 'float32' | 'float16';
}

/** The input and the output of each layer's keys and values, in order. */
export function cacheNames(layout: CacheLayout): { past: string; present: string }[] {
  const names: { past: string; present: string }[] = [];
  for (let layer = 0; layer < layout.layers; layer++) {
    for (const kv of ['key', 'value']) {
      const fill = (pattern: string) => pattern.replaceAll('{layer}', String(layer)).replaceAll('{kv}', kv);
      names.push({ past: fill(layout.past), present: fill(layout.present) });
    }
  }
  return names;
}
