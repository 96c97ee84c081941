/** Faults that change nothing which anybody could see, each with its reason: they are never planted. */
import { readFileSync } from 'node:fs';
import type { Told } from './fault.js';

export interface Argued extends Told {
  readonly why: string;
}

export function readArgued(path: string): readonly Argued[] {
  return JSON.parse(readFileSync(path, 'utf8'));
}

export function isArgued(argued: readonly Argued[], { file, before, after }: Told): boolean {
  return argued.some((one) => one.file === file && one.before === before && one.after === after);
}
