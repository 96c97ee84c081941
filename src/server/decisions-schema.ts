/** The body of a request for decisions. */
import { z } from 'zod';
import { questionsSchema } from '../eta/index.js';

export const decisionsSchema = z.strictObject({
  messages: z.array(z.unknown(), 'expected an array of messages').min(1, 'expected at least one message'),
  questions: questionsSchema,
  model: z.string('expected a name').optional(),
  user: z.unknown().optional(),
  /** What is ours. Of the policy `decide` takes what is shown of a picture alone, as was said at loading. */
  eta: z.strictObject({ reuse: z.boolean('expected true or false').optional() }, 'expected { reuse }').optional(),
});

export type DecisionsBody = z.output<typeof decisionsSchema>;
