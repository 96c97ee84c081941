/** The tokens by which a model's vocabulary says a verdict. */
import type { Model } from '../engine/index.js';
import { ModelError } from '../errors.js';
import type { DecisionQuestion } from './form.js';
import { tokenInTwo, WordTokens } from './word-tokens.js';

/** What a model's reply can begin with, by what it means. No token is in both. */
export interface VerdictTokens {
  readonly safe: Int32Array;
  readonly unsafe: Int32Array;
}

type Words = DecisionQuestion['verdicts'];
type Vocabulary = Pick<Model, 'name' | 'facts' | 'tokenize' | 'tokenBytes' | 'text'>;

/** @throws ModelError ERR_MODEL_MISMATCH where a verdict has no token, or one token could begin both */
export async function verdictTokens(model: Vocabulary, verdicts: Words, signal?: AbortSignal): Promise<VerdictTokens> {
  const [safe, unsafe] = (await new WordTokens(model).of([verdicts.safe, verdicts.unsafe], signal)) as [
    Int32Array,
    Int32Array,
  ];
  const both = tokenInTwo([safe, unsafe]);
  if (both !== null) throw unfit(model, `"${model.text([both])}" begins both verdicts in its vocabulary`);
  for (const [words, tokens] of [
    [verdicts.safe, safe],
    [verdicts.unsafe, unsafe],
  ] as const)
    if (tokens.length === 0) throw unfit(model, `its vocabulary has no token for ${words.join(' or ')}`);
  return { safe, unsafe };
}

function unfit({ name }: Vocabulary, what: string): ModelError {
  return new ModelError(
    'ERR_MODEL_MISMATCH',
    `decision: expected a model that can say the verdicts in a token each, received ${name}: ${what}. Take another form, or another model.`,
  );
}
