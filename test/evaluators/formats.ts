/** The golden values of test/golden/evaluators/formats: real architectures, tiny and random (make_formats.py). */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TextTurn } from '../../src/types/turn.js';

interface RewardGolden {
  readonly prompt: string;
  readonly accepted: readonly string[];
  readonly continuations: readonly string[];
  /** By round and continuation: what the whole answer scores alone, by the original class. */
  readonly scores: readonly (readonly number[])[];
}

interface TemplateGolden {
  /** As the exporter writes it into a manifest. */
  readonly template: string;
  /** Conversations that the template refuses. */
  readonly refused: readonly string[];
  readonly ids: Readonly<Record<string, readonly number[]>>;
}

interface ClipGolden {
  /** `cosine`: with the first text. */
  readonly texts: readonly { readonly text: string; readonly ids: readonly number[]; readonly cosine: number }[];
  /** Of the processor's tensor: SHA-256 and 16 values; cosines with each text. */
  readonly pictures: Readonly<
    Record<string, { readonly sha256: string; readonly sample: readonly number[]; readonly cosines: readonly number[] }>
  >;
}

export interface FormatsGolden {
  readonly clips: Readonly<Record<string, ClipGolden>>;
  readonly conversations: Readonly<Record<string, readonly TextTurn[]>>;
  readonly templates: Readonly<Record<string, TemplateGolden>>;
  readonly rewards: Readonly<Record<string, RewardGolden>>;
}

export const formatsFolder = fileURLToPath(new URL('../golden/evaluators/formats/', import.meta.url));
export const formats = JSON.parse(readFileSync(`${formatsFolder}golden.json`, 'utf8')) as FormatsGolden;
