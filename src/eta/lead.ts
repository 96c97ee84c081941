/** What an aligned answer begins with: what had gone out of the model's own, and the interference prefix. */
import type { Model } from '../engine/index.js';
import { type Policy, planOf } from '../policy/index.js';
import type { Beginning } from './sentence-checks.js';
import { tokensUpTo } from './stopped-answer.js';

const JOINTS = [' ', '\n\n'] as const;

/** What stands between what has gone out and what follows: a paragraph's end where it has several lines, else a blank. */
export function joint(gone: string): (typeof JOINTS)[number] {
  return gone.includes('\n') ? '\n\n' : ' ';
}

/** Tokens of the interference prefix behind what has gone out, at most; 0 where nothing can have gone out before it. */
export async function laterPrefixCount(model: Pick<Model, 'tokenize'>, policy: Policy): Promise<number> {
  if (policy.release !== 'checked' || !planOf(policy).usesPrefix) return 0;
  const tokens = JOINTS.map((between) => model.tokenize(between + policy.interferencePrefix, { isContinued: true }));
  return Math.max(...(await Promise.all(tokens)).map(({ length }) => length));
}

/** Text, and tokens that read as it behind the question. */
export interface Lead {
  readonly text: string;
  readonly tokens: readonly number[];
  /** Of them, tokens of what had gone out: an answer's, which count as such. */
  readonly goneCount: number;
}

/**
 * @param gone what has gone out of the model's own answer
 * @param prefix with its tokens where it stands first; "" for none
 */
export async function leadOf(
  model: Pick<Model, 'text' | 'tokenize'>,
  gone: Beginning,
  prefix: { readonly text: string; readonly tokens: ArrayLike<number> },
): Promise<Lead> {
  if (gone.text === '') return { text: prefix.text, tokens: Array.from(prefix.tokens), goneCount: 0 };
  const tokens = await tokensUpTo(model, gone.tokens, gone.text);
  const added = prefix.text === '' ? '' : joint(gone.text) + prefix.text;
  const later = await model.tokenize(added, { isContinued: true });
  return { text: gone.text + added, tokens: [...tokens, ...later], goneCount: tokens.length };
}
