/** A GGUF file with a fault or several, which a seed decides: in its bytes, its keys, its tensors, or its length. */
import { type GgufForm, readForm, writeForm } from './gguf-form.js';
import { KEY_CHANGES } from './gguf-key-changes.js';
import { TENSOR_CHANGES } from './gguf-tensor-changes.js';
import { withChangedBytes } from './json-mutation.js';
import { Random } from './random.js';

const CHANGES = [...KEY_CHANGES, ...TENSOR_CHANGES];

/** The file's bytes with faults in them. */
export function mutatedGguf(file: Buffer, seed: number): Buffer {
  const random = new Random(seed);
  const way = random.below(10);
  if (way === 0) return withChangedBytes(file, random, headLength(file));
  if (way === 1) return cutOff(file, random);
  const form = readForm(file);
  const count = 1 + (random.below(4) === 0 ? random.below(4) : 0);
  for (let i = 0; i < count; i++) attempt(form, random);
  return writeForm(form);
}

/** A change that finds nothing to change is another's turn. */
function attempt(form: GgufForm, random: Random): void {
  for (let tries = 0; tries < 20; tries++) {
    try {
      random.of(CHANGES)(form, random);
      return;
    } catch {
      // nothing of that kind in this file
    }
  }
}

function cutOff(file: Buffer, random: Random): Buffer {
  return file.subarray(0, random.below(random.below(2) === 0 ? headLength(file) : file.length));
}

/** Before the tensors' data. */
function headLength(file: Buffer): number {
  return file.length - readForm(file).data.length;
}
