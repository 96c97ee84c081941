/** Whether the tokens that a tokenizer.json names are there, and are the ones that it means. */
import { describe } from '../options.js';
import type { ProcessorForm, TokenizerJson } from './tokenizer-form.js';

/** A token by its text; undefined where there is none. */
type IdOf = (token: string) => number | undefined;

/** @returns what is wrong, to go behind "received"; undefined where nothing is */
export function checkTokens({
  model,
  added_tokens: added,
  post_processor: processor,
}: TokenizerJson): string | undefined {
  const idOf = idsOf(model);
  for (const { content, id } of added) {
    const known = idOf(content);
    if (known !== undefined && known !== id)
      return `two ids for the token ${describe(content)}: ${known} in the vocabulary, ${id} among the added tokens`;
  }
  const anyId = anyIdOf({ model, added_tokens: added });
  return checkModel(model, anyId) ?? (processor ? checkEnds(processor, anyId) : undefined);
}

/** Of the vocabulary and of the added tokens. */
export function anyIdOf({ model, added_tokens: added }: Pick<TokenizerJson, 'model' | 'added_tokens'>): IdOf {
  const idOf = idsOf(model);
  const ownIds = new Map(added.map(({ content, id }) => [content, id]));
  return (token) => ownIds.get(token) ?? idOf(token);
}

function idsOf(model: TokenizerJson['model']): IdOf {
  if (model.type !== 'Unigram') return (token) => (Object.hasOwn(model.vocab, token) ? model.vocab[token] : undefined);
  const ids = new Map(model.vocab.map(([token], id) => [token, id]));
  return (token) => ids.get(token);
}

function checkModel(model: TokenizerJson['model'], idOf: IdOf): string | undefined {
  if (model.type === 'Unigram') {
    const { unk_id: unknown, vocab } = model;
    return unknown == null || unknown < vocab.length
      ? undefined
      : `an unk_id of ${unknown}, where the vocabulary has ${vocab.length} tokens`;
  }
  const { unk_token: unknown } = model;
  if (unknown != null && idOf(unknown) === undefined) return `an unk_token ${describe(unknown)} that is no token`;
  return model.type === 'BPE' ? checkMerges(model.merges, idOf) : undefined;
}

/** A merge that makes no token would leave characters out, without a word. */
function checkMerges(merges: readonly (string | readonly [string, string])[], idOf: IdOf): string | undefined {
  for (const [at, merge] of merges.entries()) {
    const [first = '', second = ''] = typeof merge === 'string' ? merge.split(' ') : merge;
    const missing = [first, second, first + second].find((token) => idOf(token) === undefined);
    if (missing !== undefined) return `a merge (${at}) with ${describe(missing)}, which is no token`;
  }
  return undefined;
}

/** What is put around texts has the ids that it says. */
function checkEnds(processor: ProcessorForm, idOf: IdOf): string | undefined {
  for (const [token, said] of endsOf(processor)) {
    const id = idOf(token);
    if (id === undefined) return `a post-processor that adds ${describe(token)}, which is no token`;
    if (said !== undefined && said !== id)
      return `two ids for the token ${describe(token)}: ${id} in the vocabulary, ${said} in the post-processor`;
  }
  return undefined;
}

/** Tokens that a post-processor adds, and the id that it says of each. */
function endsOf(processor: ProcessorForm): (readonly [token: string, id: number | undefined])[] {
  if (processor.type === 'Sequence') return processor.processors.flatMap(endsOf);
  if (processor.type === 'RobertaProcessing' || processor.type === 'BertProcessing')
    return [processor.cls, processor.sep];
  if (processor.type !== 'TemplateProcessing') return [];
  const { single, pair, special_tokens: special } = processor;
  return [...single, ...pair].flatMap((piece) =>
    'SpecialToken' in piece ? [[piece.SpecialToken.id, special[piece.SpecialToken.id]?.ids[0]] as const] : [],
  );
}
