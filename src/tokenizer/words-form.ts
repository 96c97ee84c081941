/** What a tokenizer.json may say of how words are parted, and of how a text is normalized before: the types that are read here. */
import { z } from 'zod';
import { isRecord } from '../json.js';
import { describe } from '../options.js';

const SPLIT_BEHAVIORS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
export type SplitBehavior = (typeof SPLIT_BEHAVIORS)[number];

const behavior = z.enum(SPLIT_BEHAVIORS, `expected ${SPLIT_BEHAVIORS.join(', ')}`);
const flag = z.boolean('expected true or false');
const text = z.string('expected a text');
const something = text.min(1, 'expected a text that is not empty');
const MOST_PATTERN = 4096;
const pattern = z.union(
  [
    z.object({ String: something }),
    z.object({ Regex: something.max(MOST_PATTERN, `expected at most ${MOST_PATTERN} characters`) }),
  ],
  'expected { String } or { Regex }',
);

/** Steps of a normalizer, a pre-tokenizer or a post-processor; published ones have up to ten. */
const MOST_STEPS = 64;
/** Characters that may stand for what a normalizer replaces, or before a text. */
const MOST_PUT = 256;
const put = text.max(MOST_PUT, `expected at most ${MOST_PUT} characters`);

/**
 * What is read of a form only where it has so few steps, those within others counted.
 *
 * @param key under which a step holds others
 */
export function fewSteps(key: 'normalizers' | 'pretokenizers' | 'processors') {
  return z.custom<unknown>(
    (form) => hasFewSteps(form, key),
    `expected at most ${MOST_STEPS} steps, those within others counted`,
  );
}

function hasFewSteps(form: unknown, key: string): boolean {
  const left = [form];
  for (let count = 0; count < MOST_STEPS; count++) {
    const one = left.pop();
    const inner = isRecord(one) ? one[key] : undefined;
    if (Array.isArray(inner)) left.push(...inner.slice(0, MOST_STEPS + 1));
    if (left.length === 0) return true;
  }
  return false;
}

/** The message for a type that is not read here, which names those that are. @param what such as "a normalizer" */
export function unread(what: string, types: readonly string[]) {
  return ({ input }: { readonly input?: unknown }): string => {
    const received = isRecord(input) ? `the type ${describe(input['type'])}` : describe(input);
    return `expected ${what} of a type that is read here (${types.join(', ')}), received ${received}`;
  };
}

const WORDS_TYPES = [
  'Sequence',
  'Split',
  'Whitespace',
  'WhitespaceSplit',
  'BertPreTokenizer',
  'Punctuation',
  'Digits',
  'Metaspace',
  'ByteLevel',
];

const metaspace = z
  .looseObject({
    type: z.literal('Metaspace'),
    replacement: something.refine((value) => Array.from(value).length === 1, 'expected one character'),
    prepend_scheme: z.enum(['always', 'never', 'first'], 'expected always, never or first').default('always'),
    split: flag.default(true),
    add_prefix_space: flag.optional(),
  })
  .refine(
    (form) => form.add_prefix_space !== false || form.prepend_scheme === 'never',
    'expected the prepend_scheme never beside add_prefix_space false',
  );

export const wordsForm = z.discriminatedUnion(
  'type',
  [
    z.looseObject({
      type: z.literal('Sequence'),
      get pretokenizers() {
        return z.array(wordsForm, 'expected an array of pre-tokenizers');
      },
    }),
    z.looseObject({ type: z.literal('Split'), pattern, behavior, invert: flag.default(false) }),
    z.looseObject({ type: z.literal('Whitespace') }),
    z.looseObject({ type: z.literal('WhitespaceSplit') }),
    z.looseObject({ type: z.literal('BertPreTokenizer') }),
    z.looseObject({ type: z.literal('Punctuation'), behavior: behavior.default('Isolated') }),
    z.looseObject({ type: z.literal('Digits'), individual_digits: flag }),
    metaspace,
    z.looseObject({
      type: z.literal('ByteLevel'),
      add_prefix_space: flag,
      trim_offsets: flag.default(true),
      use_regex: flag.default(true),
    }),
  ],
  { error: unread('a pre-tokenizer', WORDS_TYPES) },
);
export type WordsForm = z.output<typeof wordsForm>;

const PLAIN_NORMALIZERS = ['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents'] as const;

export const normalizerForm = z.discriminatedUnion(
  'type',
  [
    z.looseObject({
      type: z.literal('Sequence'),
      get normalizers() {
        return z.array(normalizerForm, 'expected an array of normalizers');
      },
    }),
    z.looseObject({ type: z.literal(PLAIN_NORMALIZERS) }),
    z.looseObject({ type: z.literal('Strip'), strip_left: flag, strip_right: flag }),
    z.looseObject({ type: z.literal('Prepend'), prepend: put }),
    z.looseObject({ type: z.literal('Replace'), pattern, content: put }),
    z.looseObject({
      type: z.literal('BertNormalizer'),
      clean_text: flag,
      handle_chinese_chars: flag,
      strip_accents: flag.nullish(),
      lowercase: flag,
    }),
    z.looseObject({ type: z.literal('Precompiled') }),
  ],
  {
    error: unread('a normalizer', [
      'Sequence',
      ...PLAIN_NORMALIZERS,
      'Strip',
      'Prepend',
      'Replace',
      'BertNormalizer',
      'Precompiled',
    ]),
  },
);
export type NormalizerForm = z.output<typeof normalizerForm>;
