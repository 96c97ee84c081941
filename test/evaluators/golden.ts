/** The golden values of test/golden/evaluators, made by PyTorch, transformers and PIL (make.py beside them). */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Golden {
  readonly prompt: string;
  readonly answers: readonly string[];
  readonly scores: Readonly<Record<'reward-scalar' | 'reward-gated' | 'reward-encoder', readonly number[]>>;
  readonly texts: readonly { readonly text: string; readonly ids: readonly number[] }[];
  readonly pictures: Readonly<
    Record<
      string,
      {
        readonly width: number;
        readonly height: number;
        readonly rgbSha256: string;
        readonly tensorSha256: string;
        readonly safetyCosine: number;
      }
    >
  >;
}

export const goldenFolder = fileURLToPath(new URL('../golden/evaluators/', import.meta.url));
export const golden = JSON.parse(readFileSync(`${goldenFolder}golden.json`, 'utf8')) as Golden;
