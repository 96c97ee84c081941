/** The body of a request for moderation. */
import { z } from 'zod';
import { policyFields } from '../policy/index.js';

const part = z.union(
  [
    z.strictObject({ type: z.literal('text'), text: z.string() }),
    z.strictObject({
      type: z.literal('image_url'),
      image_url: z.strictObject({ url: z.string(), detail: z.string().optional() }),
    }),
  ],
  "expected { type: 'text', text } or { type: 'image_url', image_url: { url } }",
);

const { thresholds, safetyPrompt, postEvaluationPrompt, rewardContext } = policyFields;

export const moderationSchema = z.strictObject({
  input: z.union(
    [z.string(), z.array(z.string()).min(1).max(64), z.array(part).min(1).max(1024)],
    'expected a text, an array of 1 to 64 texts, or an array of text and image_url parts',
  ),
  model: z.string('expected a name').optional(),
  user: z.unknown().optional(),
  eta: z
    .strictObject(
      {
        /** What the texts are: answers are judged, questions are what answers are judged by. */
        texts: z.enum(['questions', 'answers'], "expected 'questions' or 'answers'").optional(),
        /** What the answers are answers to. */
        question: z.string('expected a text').optional(),
        thresholds,
        safetyPrompt,
        postEvaluationPrompt,
        rewardContext,
        reuse: z.boolean('expected true or false').optional(),
      },
      'expected an object of options',
    )
    .optional(),
});

export type ModerationBody = z.output<typeof moderationSchema>;
