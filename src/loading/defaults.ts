/** What a context is made with when nobody says. */

/** KV cells of a context when the caller names no contextSize: LLaVA-1.5's window. */
export const CONTEXT_SIZE = 4096;

/** Sequences of a context when the caller names no sequenceCount: four requests of five candidates, and their roots. */
export const SEQUENCE_COUNT = 32;
