/** Reading a tokenizer.json: what the library would take without a look, and fail on in the middle of an answer. */
import { z } from 'zod';
import { ModelError } from '../errors.js';
import { isRecord } from '../json.js';
import { readRegularText } from '../regular-file.js';

const id = z.int().min(0);
const isId = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** Token to id: up to a million of them, so they are looked at in one loop. */
const vocabulary = z.custom<Readonly<Record<string, number>>>(
  (value) => isRecord(value) && Object.values(value).every(isId),
  'expected an object of tokens and their ids',
);
const merges = z.custom<readonly unknown[]>(
  (value) => Array.isArray(value) && value.every(isMerge),
  'expected an array of pairs of tokens',
);
const scored = z.custom<readonly (readonly [string, number])[]>(
  (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((one) => Array.isArray(one) && typeof one[0] === 'string' && Number.isFinite(one[1])),
  'expected an array of tokens and their scores',
);

const model = z.discriminatedUnion(
  'type',
  [
    z.looseObject({ type: z.literal('BPE'), vocab: vocabulary, merges }),
    z.looseObject({
      type: z.literal('WordPiece'),
      vocab: vocabulary,
      unk_token: z.string(),
      continuing_subword_prefix: z.string(),
    }),
    z.looseObject({ type: z.literal('Unigram'), vocab: scored, unk_id: id.nullish() }),
  ],
  'expected a model of the type BPE, WordPiece or Unigram',
);

const piece = z.union([
  z.looseObject({ SpecialToken: z.looseObject({ id: z.string(), type_id: id }) }),
  z.looseObject({ Sequence: z.looseObject({ id: z.enum(['A', 'B']), type_id: id }) }),
]);
const ending = z.tuple([z.string(), id]);
const processor = z.discriminatedUnion(
  'type',
  [
    z.looseObject({ type: z.literal('TemplateProcessing'), single: z.array(piece), pair: z.array(piece) }),
    z.looseObject({ type: z.literal('RobertaProcessing'), sep: ending, cls: ending }),
    z.looseObject({ type: z.literal('BertProcessing'), sep: ending, cls: ending }),
    z.looseObject({ type: z.literal('ByteLevel') }),
    z.looseObject({
      type: z.literal('Sequence'),
      get processors() {
        return z.array(processor);
      },
    }),
  ],
  'expected a post-processor of a known type',
);

const schema = z.looseObject({
  model: z.preprocess(typed, model),
  added_tokens: z.array(z.looseObject({ id, content: z.string(), special: z.boolean() })),
  post_processor: processor.nullable(),
});

/** What is known of a tokenizer.json; the rest is the library's to read. */
export interface TokenizerFile {
  readonly json: z.output<typeof schema>;
  /**
   * Characters of the longest token: no text of n characters has fewer than n / longest tokens. Infinity where that cannot
   * be said: a WordPiece or a unigram vocabulary takes a whole word for one unknown token, and some normalizers drop characters.
   */
  readonly longest: number;
  readonly vocabularySize: number;
}

/** @throws ModelError ERR_MODEL_INVALID that says what is wrong; ERR_MODEL_NOT_FOUND */
export async function readTokenizerFile(path: string): Promise<TokenizerFile> {
  const text = await readRegularText(path).catch((cause) => {
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected a tokenizer.json at ${path}, but it cannot be read. Export the model again.`,
      { cause },
    );
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw notOne(path, 'text that is no JSON', cause);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.length ? issue.path.join('.') : 'the file';
    throw notOne(path, `another form: ${where}: ${issue?.message ?? 'not valid'}`, parsed.error);
  }
  const { vocab } = parsed.data.model;
  const tokens = Array.isArray(vocab) ? vocab.map(([token]: readonly [string, number]) => token) : Object.keys(vocab);
  const ids = Array.isArray(vocab) ? [] : Object.values(vocab);
  const added = parsed.data.added_tokens;
  const largest = [...ids, ...added.map((token) => token.id)].reduce((most, one) => Math.max(most, one), -1);
  return {
    json: parsed.data,
    longest: keepsCharacters(parsed.data)
      ? [...tokens, ...added.map((token) => token.content)].reduce((most, one) => Math.max(most, one.length), 1)
      : Number.POSITIVE_INFINITY,
    vocabularySize: Math.max(largest + 1, tokens.length),
  };
}

/** Whether every character of a text is in some token: BPE over bytes, with nothing before it that shortens a text. */
function keepsCharacters({ model, normalizer, pre_tokenizer, added_tokens }: z.output<typeof schema>): boolean {
  const hasBytes = model['byte_fallback'] === true || JSON.stringify(pre_tokenizer ?? null).includes('"ByteLevel"');
  const swallows = added_tokens.some((token) => token['lstrip'] === true || token['rstrip'] === true);
  return model.type === 'BPE' && hasBytes && !swallows && keepsLength(normalizer ?? null);
}

/** NFC makes one character of several, whose bytes are about as many as the characters were. */
function keepsLength(normalizer: unknown): boolean {
  if (normalizer === null) return true;
  if (!isRecord(normalizer)) return false;
  const { type, normalizers, pattern, content } = normalizer;
  if (type === 'NFC' || type === 'Prepend') return true;
  if (type === 'Sequence') return Array.isArray(normalizers) && normalizers.every(keepsLength);
  const replaced = isRecord(pattern) ? pattern['String'] : undefined;
  return (
    type === 'Replace' &&
    typeof replaced === 'string' &&
    typeof content === 'string' &&
    content.length >= replaced.length
  );
}

/** @param received what came in place of a tokenizer.json */
export function notOne(path: string, received: string, cause: unknown): ModelError {
  return new ModelError(
    'ERR_MODEL_INVALID',
    `${path}: expected a Hugging Face tokenizer.json, received ${received}. Export the model again.`,
    { cause },
  );
}

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

function isMerge(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(' ');
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}
