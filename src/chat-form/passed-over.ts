/**
 * Fields of a chat completion that say whose request it is, and how it is kept or billed: nothing that an answer depends on.
 * The model is the one that is loaded.
 */
export const PASSED_OVER = ['model', 'user', 'metadata', 'store', 'service_tier'] as const;
