/** What the user chose, kept from one visit to the next. */
import type { Method, Release } from '../types/policy.js';

export type Theme = 'system' | 'light' | 'dark';

/** What a question is asked with; null: as the server does, or drawn. */
export interface AskOptions {
  method: Method | null;
  candidateCount: number | null;
  release: Release | null;
  seed: number | null;
}

/** Options that are numbers. */
export type NumberName = 'candidateCount' | 'seed';

/** Every method, in one line. */
export const METHODS: readonly { readonly name: Method; readonly says: string }[] = [
  { name: 'eta', says: 'both judges, then prefix and search' },
  { name: 'vanilla', says: 'the model alone: nothing is checked' },
  { name: 'pre', says: 'the picture alone decides' },
  { name: 'post', says: 'the answer alone decides' },
  { name: 'shallow', says: 'both judges, the prefix, no search' },
  { name: 'deep', says: 'both judges, the search, no prefix' },
  { name: 'ecso', says: 'the answer decides; then one from a description, the picture unseen' },
  { name: 'steered', says: 'both judges, then an answer under the safety vector' },
];

/** How an answer that is judged goes out, in one line. */
export const RELEASES: readonly { readonly name: Release; readonly says: string }[] = [
  { name: 'whole', says: 'once all of it is judged' },
  { name: 'checked', says: 'sentence by sentence, as each is judged' },
];

/** Candidates of a round: what the library takes. */
export const MOST_CANDIDATES = 255;
/** The largest seed that the server takes. */
export const MOST_SEED = 0xffffffff;

const KEY = 'eta-vlm/settings';

export class Settings {
  theme = $state<Theme>('system');
  options = $state<AskOptions>({ method: null, candidateCount: null, release: null, seed: null });
  /** Of a field whose number is not one that fits: what would be. */
  unfit = $state<Record<NumberName, string | null>>({ candidateCount: null, seed: null });
  /** Whether a question waits for that: then it is told. */
  isHeldUp = $state(false);

  constructor() {
    const kept = read();
    if (kept.theme === 'light' || kept.theme === 'dark') this.theme = kept.theme;
    const { method, candidateCount, release, seed } = kept.options ?? {};
    this.options = {
      method: METHODS.find(({ name }) => name === method)?.name ?? null,
      candidateCount: wholeNumber(candidateCount, 1, MOST_CANDIDATES),
      release: RELEASES.find(({ name }) => name === release)?.name ?? null,
      seed: wholeNumber(seed, 0, MOST_SEED),
    };
  }

  setNumber(name: NumberName, value: number | null): void {
    this.options[name] = value;
    this.unfit[name] = null;
    this.isHeldUp &&= Object.values(this.unfit).some((sentence) => sentence !== null);
    this.keep();
  }

  /** What was typed is not taken, and no question goes until it is another. */
  refuseNumber(name: NumberName, sentence: string): void {
    this.unfit[name] = sentence;
  }

  /** Whether a question can go; where not, the page says why from now on. */
  check(): boolean {
    this.isHeldUp = Object.values(this.unfit).some((sentence) => sentence !== null);
    return !this.isHeldUp;
  }

  /** Call it after each change. */
  keep(): void {
    try {
      localStorage.setItem(KEY, JSON.stringify({ theme: this.theme, options: this.options }));
    } catch {
      // A browser that keeps nothing has the settings of this visit alone.
    }
  }
}

function read(): { theme?: unknown; options?: Record<string, unknown> } {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as ReturnType<typeof read>;
  } catch {
    return {};
  }
}

/** The number where it is one that fits, or else null. */
export function wholeNumber(value: unknown, from: number, to: number): number | null {
  return Number.isSafeInteger(value) && Number(value) >= from && Number(value) <= to ? Number(value) : null;
}
