/** What a tokenizer.json must be: its models of tokens, its own tokens, what it puts around texts. */
import { z } from 'zod';
import { isRecord } from '../json.js';
import { LONGEST_UNCUT } from './text-pieces.js';
import { fewSteps, normalizerForm, unread, wordsForm } from './words-form.js';

/** Beyond it no graph has embeddings, and a list of tokens would have more holes than a machine has memory. */
const MOST_ID = 2 ** 31 - 1;
const ID = `expected an id, a whole number from 0 to ${MOST_ID}`;
const id = z.int(ID).min(0, ID).max(MOST_ID, ID);
const isId = (value: unknown): boolean =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MOST_ID;

/** Token to id: up to a million of them, so they are looked at in one loop. */
const vocabulary = z.custom<Readonly<Record<string, number>>>(
  (value) => isRecord(value) && Object.values(value).every(isId),
  'expected an object of tokens and their ids',
);
const merges = z.custom<readonly string[] | readonly (readonly [string, string])[]>(
  (value) => Array.isArray(value) && (value.every(isWrittenMerge) || value.every(isMerge)),
  'expected an array of pairs of tokens, all written in one way',
);
const scored = z.custom<readonly (readonly [string, number])[]>(
  (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((one) => Array.isArray(one) && typeof one[0] === 'string' && Number.isFinite(one[1])),
  'expected an array of tokens and their scores',
);
const count = z.int('expected a whole number').min(1, 'expected a whole number of at least 1');
const unknown = z.string('expected a token');
/** What the library would not do as it says. */
const none = (what: string) =>
  z
    .custom<null | '' | 0>(
      (value) => value === null || value === '' || value === 0,
      `expected none: ${what} is not read here`,
    )
    .optional();

const BPE = z.looseObject({
  type: z.literal('BPE'),
  vocab: vocabulary,
  merges,
  unk_token: unknown.nullish(),
  end_of_word_suffix: z.string('expected a text').nullish(),
  continuing_subword_prefix: none('a prefix of tokens inside a word'),
  dropout: none('leaving merges out by chance'),
  fuse_unk: z.boolean('expected true or false').nullish(),
  byte_fallback: z.boolean('expected true or false').nullish(),
  ignore_merges: z.boolean('expected true or false').nullish(),
});
const WordPiece = z.looseObject({
  type: z.literal('WordPiece'),
  vocab: vocabulary,
  unk_token: unknown,
  continuing_subword_prefix: z.string('expected a text'),
  max_input_chars_per_word: count.default(100),
});
const WordLevel = z.looseObject({ type: z.literal('WordLevel'), vocab: vocabulary, unk_token: unknown });
const Unigram = z.looseObject({
  type: z.literal('Unigram'),
  vocab: scored,
  unk_id: id.nullish(),
  byte_fallback: z.literal(false, 'expected false: bytes for unknown characters are not read here').nullish(),
});
const model = z.discriminatedUnion('type', [BPE, WordPiece, WordLevel, Unigram], {
  error: unread('a model', ['BPE', 'WordPiece', 'WordLevel', 'Unigram']),
});

const piece = z.union(
  [
    z.object({ SpecialToken: z.object({ id: z.string(), type_id: id }) }),
    z.object({ Sequence: z.object({ id: z.enum(['A', 'B']), type_id: id }) }),
  ],
  'expected { SpecialToken } or { Sequence }',
);
const ending = z.tuple([z.string(), id], 'expected a token and its id');
const template = z.looseObject({
  type: z.literal('TemplateProcessing'),
  single: z.array(piece, 'expected an array'),
  pair: z.array(piece, 'expected an array'),
  special_tokens: z
    .record(
      z.string(),
      z.looseObject({ ids: z.array(id).length(1, 'expected one id: several for one token are not read here') }),
    )
    .default({}),
});
const processor = z.discriminatedUnion(
  'type',
  [
    template,
    z.looseObject({ type: z.literal('RobertaProcessing'), sep: ending, cls: ending }),
    z.looseObject({ type: z.literal('BertProcessing'), sep: ending, cls: ending }),
    z.looseObject({ type: z.literal('ByteLevel') }),
    z.looseObject({
      type: z.literal('Sequence'),
      get processors() {
        return z.array(processor, 'expected an array of post-processors');
      },
    }),
  ],
  {
    error: unread('a post-processor', [
      'TemplateProcessing',
      'RobertaProcessing',
      'BertProcessing',
      'ByteLevel',
      'Sequence',
    ]),
  },
);
export type ProcessorForm = z.output<typeof processor>;

const flag = z.boolean('expected true or false').optional();
const added = z.looseObject({
  id,
  content: z.string('expected a text').max(LONGEST_UNCUT, `expected at most ${LONGEST_UNCUT} characters`),
  special: z.boolean('expected true or false'),
  lstrip: flag,
  rstrip: flag,
  normalized: flag,
});
export type AddedToken = z.output<typeof added>;

/** Whether it is looked for in texts that the normalizer has changed. */
export function isNormalized({ normalized, special }: AddedToken): boolean {
  return normalized ?? !special;
}

export const tokenizerForm = z.looseObject({
  model: z.preprocess(typed, model),
  added_tokens: z.array(added, 'expected an array of tokens'),
  normalizer: fewSteps('normalizers').pipe(normalizerForm.nullish()).optional(),
  pre_tokenizer: fewSteps('pretokenizers').pipe(wordsForm.nullish()).optional(),
  post_processor: fewSteps('processors').pipe(processor.nullish()).optional(),
});
export type TokenizerJson = z.output<typeof tokenizerForm>;

/** Older files leave the type out; it shows in what else is there. */
function typed(value: unknown): unknown {
  if (!isRecord(value) || value['type'] !== undefined) return value;
  const type = Array.isArray(value['vocab'])
    ? 'Unigram'
    : 'merges' in value
      ? 'BPE'
      : 'max_input_chars_per_word' in value
        ? 'WordPiece'
        : undefined;
  return { ...value, type };
}

/** Of newer files. */
function isMerge(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}

/** Of older ones: no token has a space. */
function isWrittenMerge(value: unknown): boolean {
  return typeof value === 'string' && value.split(' ').length === 2;
}
