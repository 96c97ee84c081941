/** What an aligned answer begins with: what had gone out of the model's own, and the interference prefix. */
import type { Model } from '../engine/index.js';
import { type Policy, planOf } from '../policy/index.js';
import type { StopTexts } from '../search/index.js';
import type { Beginning } from './sentence-checks.js';
import { tokensUpTo } from './stopped-answer.js';

const JOINTS = [' ', '\n\n'] as const;

/**
 * What stands between what has gone out and what follows: a paragraph's end where it has several lines and no stop text is
 * complete with it, else a blank. It is nothing that the model said, so it ends no answer.
 */
export function joint(gone: string, stops: StopTexts): (typeof JOINTS)[number] {
  return gone.includes('\n') && stops.find(`${gone}\n\n`) < 0 ? '\n\n' : ' ';
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

/** What a lead is made of. */
export interface LeadParts {
  /** What has gone out of the model's own answer. */
  readonly gone: Beginning;
  /** With its tokens where it stands first; "" for none. */
  readonly prefix: { readonly text: string; readonly tokens: ArrayLike<number> };
  readonly stops: StopTexts;
}

export async function leadOf(
  model: Pick<Model, 'text' | 'tokenize'>,
  { gone, prefix, stops }: LeadParts,
): Promise<Lead> {
  if (gone.text === '') return { text: prefix.text, tokens: Array.from(prefix.tokens), goneCount: 0 };
  const tokens = await goneTokens(model, gone);
  const added = prefix.text === '' ? '' : joint(gone.text, stops) + prefix.text;
  const later = await model.tokenize(added, { isContinued: true });
  return { text: gone.text + added, tokens: [...tokens, ...later], goneCount: tokens.length };
}

/** Tokens that read as what has gone out. */
export async function goneTokens(model: Pick<Model, 'text' | 'tokenize'>, gone: Beginning): Promise<number[]> {
  return gone.text === '' ? [] : await tokensUpTo(model, gone.tokens, gone.text);
}
