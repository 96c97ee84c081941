/** What a probe's child is told on its stdin, and what it answers on its stdout: a line of JSON each. */
import { z } from 'zod';

export const orderSchema = z.strictObject({
  /** Options of `Model.load`. */
  load: z.strictObject({
    modelPath: z.string(),
    projectorPath: z.string().optional(),
    device: z.string(),
    gpuLayerCount: z.number(),
    projectorOnGpu: z.boolean().optional(),
    threadCount: z.number().optional(),
    useMmap: z.boolean(),
    useMlock: z.boolean(),
  }),
  /** Files of the program that asks, from which packages are looked for. */
  program: z.array(z.string()).readonly(),
});

export type ProbeOrder = z.output<typeof orderSchema>;

/** `error` is null where all went well. */
export const answerSchema = z.strictObject({
  error: z
    .strictObject({
      name: z.enum(['UsageError', 'FileError', 'ImageError', 'ModelError', 'EngineError', 'EvaluatorError']),
      code: z.string(),
      message: z.string(),
    })
    .nullable(),
});

export type ProbeAnswer = z.output<typeof answerSchema>;
