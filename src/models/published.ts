/** Sets of models that others publish on a hub, as models/registry.json names them: which files, under which terms. */
import { z } from 'zod';
import { isRepoName, isSafePath } from '../hub/index.js';

/** What a published file does. */
const ROLES = ['languageModel', 'projector', 'clip', 'guard', 'guardProjector'] as const;
export type Role = (typeof ROLES)[number];

const publishedFile = z.strictObject({
  path: z.string().refine(isSafePath, 'expected a path below the repository'),
  /** As read on public pages, rounded where those round; the hub announces the true one. Null: not read. */
  sizeBytes: z.int().min(1).nullable(),
  /** Null: nobody has seen it. One that stands here must be what the hub announces. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
});

const threshold = z.strictObject({
  value: z.number(),
  /** Who found it, on what. */
  source: z.string().min(1),
  /** Whether it was found for these very files. */
  isCalibrated: z.boolean(),
});

const publishedPart = z.strictObject({
  role: z.enum(ROLES),
  repo: z.string().refine(isRepoName, 'expected owner/name'),
  revision: z.string().default('main'),
  /** The one that is opened stands first. */
  files: z.array(publishedFile).min(1),
  licence: z.strictObject({ name: z.string().min(1), needsConsent: z.boolean() }),
  /** Of CLIP. That of a guard stands in its form. */
  threshold: threshold.optional(),
  /** How a guard is asked. */
  form: z.string().min(1).optional(),
  /** Whether the projector beside it is looked for, as for an address. */
  findsProjector: z.boolean().default(false),
});

export const publishedSetSchema = z.strictObject({
  description: z.string().min(1),
  /** What it lacks, and what to do about it. */
  lacks: z.string().optional(),
  /**
   * Memory that it takes beside its files, until their heads are read: cells of the default context and of a guard's own,
   * buffers, what onnxruntime keeps, a guard's projector. Computed on shapes of the real sizes: bench/set-memory.ts.
   */
  workingBytes: z.int().min(0),
  published: z.array(publishedPart).min(1),
});

export type PublishedPart = z.output<typeof publishedPart>;
export type PublishedThreshold = z.output<typeof threshold>;

/** A set with a name. */
export interface PublishedSet extends z.output<typeof publishedSetSchema> {
  readonly name: string;
}

/** Bytes of all files whose size was read. */
export function readBytes({ published }: PublishedSet): number {
  return published.flatMap(({ files }) => files).reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
}
