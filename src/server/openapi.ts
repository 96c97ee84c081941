/** GET /openapi.json: the routes as OpenAPI has them, made of the schemas that requests are held to. */
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { chatSchema } from './chat-schema.js';
import { decisionsSchema } from './decisions-schema.js';
import { moderationSchema } from './moderation-schema.js';

const JSON_TYPE = 'application/json';
const EVENTS_TYPE = 'text/event-stream';

const part = z.looseObject({
  type: z.enum(['text', 'image_url']),
  text: z.string().optional(),
  image_url: z.object({ url: z.string() }).optional(),
});
/** Read by src/chat-form, which takes the forms of other programs too. */
const messages = z
  .array(
    z.looseObject({
      role: z.enum(['system', 'developer', 'user', 'assistant']),
      content: z.union([z.string(), z.array(part)]),
    }),
  )
  .min(1);

const error = z.object({
  error: z.object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string() }),
});
const judgement = z
  .looseObject({ evaluator: z.string(), score: z.number(), threshold: z.number(), isUnsafe: z.boolean() })
  .nullable();
const verdict = z.object({
  action: z
    .enum(['answered', 'aligned', 'refused'])
    .describe('What was done. `refused` also where `moderation.policy` blocked the answer, whatever the method.'),
  picture: judgement,
  answer: judgement,
  final: judgement,
  rungs: z
    .array(z.looseObject({ rung: z.string(), judgement, sampledTokenCount: z.number() }))
    .optional()
    .describe('What a ladder tried, in order, the search first; under `ecso` and `steered` their own rung.'),
});
const etaPart = z.looseObject({ verdict, seed: z.number(), stopReason: z.string() }).optional();
const result = z.looseObject({
  flagged: z.boolean(),
  categories: z.record(z.string(), z.boolean()),
  category_scores: z.record(z.string(), z.number()),
  category_applied_input_types: z.record(z.string(), z.array(z.enum(['text', 'image']))),
});
const failure = z.object({ type: z.literal('error'), code: z.string(), message: z.string() });
/** What `output` is about, for who reads the document alone. */
const OUTPUT =
  'Of the last text that the model wrote, one for each answer: `content` where there is one; of a refused answer the text that was withheld, and never the sentence in `refusal`.';
const side = z.union([
  z.object({ type: z.literal('moderation_results'), model: z.string(), results: z.array(z.union([result, failure])) }),
  failure,
]);
const usage = z.object({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  total_tokens: z.number(),
  prompt_tokens_details: z.object({ cached_tokens: z.number() }),
});
const finish = z.enum(['stop', 'length', 'content_filter']);
const completion = z.object({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.number(),
  model: z.string(),
  choices: z.array(
    z.object({
      index: z.number(),
      message: z.object({
        role: z.literal('assistant'),
        content: z.string().nullable(),
        refusal: z.string().nullable(),
      }),
      logprobs: z.null(),
      finish_reason: finish,
      eta: etaPart,
    }),
  ),
  usage,
  moderation: z.object({ input: side, output: side.describe(OUTPUT) }).optional(),
});
const chunk = z.looseObject({
  id: z.string(),
  object: z.literal('chat.completion.chunk'),
  choices: z.array(
    z.looseObject({
      index: z.number(),
      delta: z.looseObject({ content: z.string().optional(), refusal: z.string().nullable().optional() }),
      finish_reason: finish.nullable(),
    }),
  ),
});
const model = z.object({ id: z.string(), object: z.literal('model'), created: z.number(), owned_by: z.string() });
const decided = z.object({
  id: z.string(),
  object: z.literal('decisions'),
  model: z.string(),
  decisions: z.array(z.looseObject({ type: z.string() })),
  usage,
  eta: z.looseObject({}).optional(),
});
const picture = z.object({
  file: z.string(),
  url: z.string().describe("Relative to the address of the list itself: 'gallery/NAME' beside '/eta/gallery'."),
  description: z.string(),
  question: z.string(),
  harmfulQuestion: z.string().optional(),
});

/**
 * The routes stand beside the document. The address that a client asks under is not known here: a proxy may stand before the
 * server, and a program that mounts it takes its own prefix away. Without `servers` the routes would begin at the host's root.
 */
const BESIDE = '.';

interface Described {
  readonly path: string;
  readonly summary: string;
  readonly body?: z.ZodType;
  readonly params?: z.ZodObject;
  /** By content type. */
  readonly answers: Readonly<Record<string, z.ZodType>>;
}

const POSTS: readonly Described[] = [
  {
    path: '/v1/chat/completions',
    summary: 'Answers a conversation with pictures, safely.',
    body: chatSchema.extend({ messages }),
    answers: { [JSON_TYPE]: completion, [EVENTS_TYPE]: chunk },
  },
  {
    path: '/v1/moderations',
    summary: 'Judges pictures and answers; nothing is generated.',
    body: moderationSchema,
    answers: {
      [JSON_TYPE]: z.object({ id: z.string(), model: z.string(), results: z.array(z.union([result, failure])) }),
    },
  },
  {
    path: '/v1/decisions',
    summary: 'Answers questions about a conversation by the probabilities of one token.',
    body: decisionsSchema.extend({ messages }),
    answers: { [JSON_TYPE]: decided },
  },
];

const GETS: readonly Described[] = [
  {
    path: '/v1/models',
    summary: 'The model that answers.',
    answers: { [JSON_TYPE]: z.object({ object: z.literal('list'), data: z.array(model) }) },
  },
  {
    path: '/v1/models/{id}',
    summary: 'The model of that name.',
    params: z.object({ id: z.string() }),
    answers: { [JSON_TYPE]: model },
  },
  {
    path: '/health',
    summary: 'Whether it takes requests, and whether the models are in memory.',
    answers: { [JSON_TYPE]: z.object({ status: z.string(), isLoaded: z.boolean() }) },
  },
  { path: '/metrics', summary: 'Counts and times, for Prometheus.', answers: { 'text/plain': z.string() } },
  {
    path: '/eta/facts',
    summary: 'Who answers, how it decides, and what a request may have.',
    answers: { [JSON_TYPE]: z.looseObject({ version: z.string(), model: z.string(), method: z.string() }) },
  },
  {
    path: '/eta/gallery',
    summary: 'The shipped pictures, where the shipped models answer.',
    answers: { [JSON_TYPE]: z.object({ pictures: z.array(picture) }) },
  },
  {
    path: '/eta/gallery/{file}',
    summary: 'One of them.',
    params: z.object({ file: z.string() }),
    answers: { 'image/*': z.string() },
  },
];

/** @param hasKey whether clients must send one */
export function openApiDocument(version: string, hasKey: boolean): object {
  const app = new OpenAPIHono();
  const registry = app.openAPIRegistry;
  const key = registry.registerComponent('securitySchemes', 'key', { type: 'http', scheme: 'bearer' });
  const security = hasKey ? [{ [key.name]: [] }] : [];
  const add = (method: 'get' | 'post', { path, summary, body, params, answers }: Described) => {
    const request = {
      ...(body !== undefined && { body: { required: true, content: { [JSON_TYPE]: { schema: body } } } }),
      ...(params !== undefined && { params }),
    };
    const content = Object.fromEntries(Object.entries(answers).map(([type, schema]) => [type, { schema }]));
    const responses = {
      200: { description: summary, content },
      default: {
        description: 'What was expected, what came, and what to do.',
        content: { [JSON_TYPE]: { schema: error } },
      },
    };
    registry.registerPath(createRoute({ method, path, summary, request, responses, security }));
  };
  for (const described of POSTS) add('post', described);
  for (const described of GETS) add('get', described);
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'eta-vlm', version, description: 'Local vision-language models that answer safely.' },
    servers: [{ url: BESIDE, description: 'Where this document was fetched from.' }],
  });
}
