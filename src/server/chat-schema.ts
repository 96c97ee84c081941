/** The body of a chat completion: each field that is read, and how. What is not here is refused by its name. */
import { z } from 'zod';
import { PASSED_OVER } from '../chat-form/index.js';
import { integer, integerFrom } from '../options.js';
import { policyFields } from '../policy/index.js';

/** What a request may ask to see of the search. */
const INCLUDES = ['verdict', 'trace', 'timings', 'events'] as const;
export type Include = (typeof INCLUDES)[number];

/** Nothing of the answer depends on these, here as in a batch, or on what else a client says of itself. */
const passedOver = Object.fromEntries(
  [...PASSED_OVER, 'safety_identifier', 'prompt_cache_key', 'prompt_cache_retention'].map((name) => [
    name,
    z.unknown().optional(),
  ]),
) as Record<(typeof PASSED_OVER)[number], z.ZodOptional<z.ZodUnknown>>;

const BOOLEAN = 'expected true or false';
const TEMPERATURE = 'expected a number from 0 to 2';
const SHARE = 'expected a number above 0, at most 1';
const never = (what: string) => `expected none, because ${what} cannot be kept here`;
const none = (what: string) => z.null(never(what)).optional();
const zero = (what: string) => z.literal(0, never(what)).optional();
const empty = (what: string) => z.array(z.unknown(), never(what)).max(0, never(what)).optional();

/** How many there may be is the server's to say, whose bound is not known here. */
const tokenCount = integerFrom(1).describe('Of an answer; at most `limits.maxTokens` of GET /eta/facts.').optional();

/** What nobody here can keep, unless it is said to be none. */
const unkept = {
  response_format: z
    .strictObject(
      { type: z.literal('text', "expected 'text', because no other form can be kept here") },
      "expected { type: 'text' }",
    )
    .optional(),
  modalities: z.array(z.literal('text', "expected 'text'"), "expected ['text']").max(1, "expected ['text']").optional(),
  frequency_penalty: zero('a penalty'),
  presence_penalty: zero('a penalty'),
  logprobs: z.literal(false, never('how likely tokens were')).optional(),
  top_logprobs: zero('how likely tokens were'),
  logit_bias: z
    .record(z.string(), z.unknown(), never('a bias of tokens'))
    .refine((biases) => Object.keys(biases).length === 0, never('a bias of tokens'))
    .optional(),
  tools: empty('a call of tools'),
  tool_choice: z.enum(['none', 'auto'], never('a call of tools')).optional(),
  parallel_tool_calls: z.boolean(BOOLEAN).optional(),
  functions: empty('a call of functions'),
  function_call: z.enum(['none', 'auto'], never('a call of functions')).optional(),
  audio: none('sound'),
  prediction: none('a prediction'),
  web_search_options: none('a search of the web'),
  reasoning_effort: none('an effort'),
  verbosity: none('a verbosity'),
};

const side = z.strictObject(
  { mode: z.enum(['score', 'block'], "expected 'score' or 'block'").optional() },
  "expected { mode: 'score' } or { mode: 'block' }",
);

/** Of what the API calls moderation: who is judged, and whether what is flagged is kept back. */
const moderation = z.strictObject(
  {
    model: z.string('expected a name').optional(),
    policy: z
      .strictObject({ input: side.optional(), output: side.optional() }, 'expected { input, output }')
      .optional(),
  },
  'expected { model, policy }',
);

/** What is ours: options of the library by their names, and what to tell of it. */
const eta = z.strictObject(
  {
    ...policyFields,
    reuse: z.boolean(BOOLEAN).optional(),
    include: z
      .array(z.enum(INCLUDES, `expected ${INCLUDES.join(', ')}`), 'expected an array of names')
      .max(16, 'expected at most 16 names')
      .optional(),
  },
  'expected an object of options',
);

/** Names of our own fields. */
export const etaFields = Object.keys(eta.shape);

export const chatSchema = z.strictObject({
  messages: z.array(z.unknown(), 'expected an array of messages').min(1, 'expected at least one message'),
  n: integer(1, 128).optional(),
  seed: integer(0, 0xffffffff).optional(),
  stop: z.union([z.string(), z.array(z.string())], 'expected a text or an array of texts').optional(),
  max_tokens: tokenCount,
  max_completion_tokens: tokenCount,
  temperature: z.number(TEMPERATURE).min(0, TEMPERATURE).max(2, TEMPERATURE).optional(),
  top_p: z.number(SHARE).gt(0, SHARE).max(1, SHARE).optional(),
  stream: z.boolean(BOOLEAN).optional(),
  stream_options: z
    .strictObject(
      {
        include_usage: z.boolean(BOOLEAN).optional(),
        include_obfuscation: z.literal(false, never('padding')).optional(),
      },
      'expected { include_usage }',
    )
    .optional(),
  moderation: moderation.optional(),
  eta: eta.optional(),
  ...passedOver,
  ...unkept,
});

export type ChatBody = z.output<typeof chatSchema>;
