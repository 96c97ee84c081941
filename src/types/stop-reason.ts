/**
 * Why an answer ends where it does.
 *
 * - `end`: the model ended it.
 * - `length`: it was cut at `maxTokens`. The token that ends an answer is one to sample too, though it is not counted, so
 *   that an answer of exactly `maxTokens` tokens is cut whatever would have come next; llama.cpp's server and OpenAI's
 *   API count alike.
 * - `context`: it was cut with fewer tokens, because the context, or the window that the model was trained for, had no
 *   room for more.
 * - `sequence`: one of the request's stop texts came; it is not part of the answer.
 * - `refusal`: neither the model nor a limit ended it: the fixed sentence (`refusalText`) stands in for it.
 */
export type StopReason = 'end' | 'sequence' | 'refusal' | 'length' | 'context';
