/** What a guard is loaded with: the engine is not this room's to start. */
import type { Context, EncodedImages, Model } from '../engine/index.js';
import type { DecisionForm } from './form.js';

/** A guard that llama.cpp holds, and a context of it for one user alone. */
export interface OpenGuard {
  readonly model: Model;
  readonly context: Context;
  /** Pictures for it, encoded by its own projector, kept for later requests. */
  readonly images: EncodedImages;
  /** Frees all of it. Idempotent. */
  dispose(): Promise<void>;
}

/** What a guard's context has to have. */
export interface GuardContext {
  readonly contextSize: number;
  readonly sequenceCount: number;
  readonly cacheType: 'f32' | 'f16';
}

/** Files of a guard. */
export interface GuardFiles {
  /** Its GGUF. */
  readonly guard: string;
  /** That of its projector; null for one that sees no pictures. */
  readonly guardProjector: string | null;
}

/** How files become one. */
export type GuardOpener = (guard: GuardContext & GuardFiles) => Promise<OpenGuard>;

export interface GuardLoadOptions extends GuardFiles {
  readonly form: DecisionForm;
  readonly openGuard: GuardOpener;
  readonly signal?: AbortSignal | undefined;
}

/** Lanes of a guard's context: kept prompts, the answers under way, and the candidates of one of them. */
const GUARD_SEQUENCES = 32;

/** Cells beyond one conversation of full length: candidates, and what is kept of other conversations. */
const GUARD_SPARE_CELLS = 2048;

/** The context that a guard asks for: one conversation of full length, with room beside it. */
export function guardContext({ maxTokens = 0 }: Pick<DecisionForm, 'maxTokens'>): GuardContext {
  return { contextSize: maxTokens + GUARD_SPARE_CELLS, sequenceCount: GUARD_SEQUENCES, cacheType: 'f16' };
}
