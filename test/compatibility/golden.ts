/** The golden folders of test/golden/compatibility: files of a tiny model of an original class, and its numbers. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What stock llama.cpp makes of the same files, recorded with the rest. */
interface Stock {
  /** Why its process ended, where it did. */
  readonly error?: string;
  /** Tokens of the prompt, -1 for rows of pictures; "equal" to the original's, or its own. */
  readonly tokens?: 'equal' | readonly number[];
  readonly position?: number;
  readonly logits?: string;
  /** Largest difference of its logits from the original's. */
  readonly logitsDifference?: number;
  readonly greedy?: 'equal' | readonly number[];
  /** Largest difference of preprocessed pixels (normalised), or of shapes. */
  readonly pixelDifference?: number | string;
  /** Largest difference of the rows that the language model gets, or of shapes. */
  readonly embeddingDifference?: number | string;
  /** Mean size of the original's rows. */
  readonly embeddingSize?: number;
  /** llama-mtmd-cli: its arguments and what it wrote. */
  readonly words?: { readonly arguments: readonly string[]; readonly text?: string; readonly error?: string };
}

export type CaseKind = GoldenCase['kind'];

export interface GoldenCase {
  /** No picture; one of a size that needs no resizing; one that is resized; two that need none. */
  readonly kind: 'text' | 'exact' | 'wide' | 'both';
  readonly question: string;
  readonly pictures: readonly string[];
  /** The original's prompt, without begin token, <__media__> for each picture. */
  readonly prompt: string;
  readonly tokens: readonly number[];
  /** Where the next token stands; M-RoPE counts fewer than there are tokens. */
  readonly position: number;
  /** First-token logits of the original: float32, base64. */
  readonly logits: string;
  readonly greedy: readonly number[];
  /** Standard deviation of the logits. */
  readonly spread: number;
  readonly smallestMargin: number;
  readonly stock: Stock;
}

export interface Golden {
  readonly name: string;
  readonly title: string;
  readonly original: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly command: string;
  /** "yes", or the converter's error. */
  readonly converts: string;
  readonly model: string;
  readonly cases?: readonly GoldenCase[];
}

const FOLDER = fileURLToPath(new URL('../golden/compatibility/', import.meta.url));

export function goldenFile(name: string, file: string): string {
  return join(FOLDER, name, file);
}

export function goldenNames(): string[] {
  return readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

export function readGolden(name: string): Golden {
  return JSON.parse(readFileSync(goldenFile(name, 'golden.json'), 'utf8')) as Golden;
}

export function floats(base64: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return new Float32Array(bytes.buffer);
}
