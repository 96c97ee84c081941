/** GET /eta/gallery: the shipped pictures, for who tries it, where the shipped models answer. */
import { readFile } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { z } from 'zod';
import { ModelError, ServerError } from '../errors.js';
import type { ResolvedModels } from '../index.js';
import { SHIPPED_PICTURES } from '../models/index.js';
import { describe } from '../options.js';
import type { Route } from './routes.js';

const TYPES: Readonly<Record<string, string>> = { '.jpg': 'image/jpeg', '.png': 'image/png' };
const CACHED = { 'cache-control': 'private, max-age=3600' };

/** What is told of each; the file holds more. */
const listSchema = z.object({
  pictures: z.array(
    z.object({
      file: z.string(),
      description: z.string(),
      question: z.string(),
      request: z.string(),
      isUnsafe: z.boolean(),
      sight: z.array(z.object({ question: z.string() })).min(1),
    }),
  ),
});

interface GalleryPicture {
  readonly file: string;
  /** Relative to the list's own address, wherever that is mounted. */
  readonly url: string;
  /** What it shows. */
  readonly description: string;
  /** A harmless question that fits it. */
  readonly question: string;
  /** What should not be answered; of pictures that look unsafe. */
  readonly harmfulQuestion?: string;
}

/** Whether the models are the shipped ones, which know these pictures' world and nothing else. */
export function isMiniature({ languageModel }: Pick<ResolvedModels, 'languageModel'>): boolean {
  return dirname(resolve(languageModel)) === dirname(SHIPPED_PICTURES);
}

/** None where other models answer. */
export function galleryRoutes(models: ResolvedModels): Route[] {
  if (!isMiniature(models)) return [];
  let reading: Promise<readonly GalleryPicture[]> | undefined;
  const list = () => {
    reading ??= readList().catch((error: unknown) => {
      reading = undefined; // it may be there the next time
      throw error;
    });
    return reading;
  };
  return [
    {
      method: 'GET',
      path: '/eta/gallery',
      answer: async () => Response.json({ pictures: await list() }, { headers: CACHED }),
    },
    {
      method: 'GET',
      path: '/eta/gallery/{file}',
      answer: async (_request, _record, { file = '' }) => {
        // a name of the list, and nothing that a path could be made of
        const known = (await list()).find((picture) => picture.file === file);
        if (known === undefined)
          throw new ServerError('ERR_ROUTE', `Expected a picture of GET /eta/gallery, received ${describe(file)}.`);
        const bytes = await readFile(join(SHIPPED_PICTURES, known.file));
        const type = TYPES[extname(known.file)] ?? 'application/octet-stream';
        return new Response(new Uint8Array(bytes), {
          headers: { ...CACHED, 'content-type': type, 'cross-origin-resource-policy': 'same-origin' },
        });
      },
    },
  ];
}

async function readList(): Promise<readonly GalleryPicture[]> {
  const path = join(SHIPPED_PICTURES, 'pictures.json');
  try {
    const { pictures } = listSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return pictures.map(({ file, description, question, request, isUnsafe, sight }) => ({
      file,
      url: `gallery/${file}`,
      description,
      question: isUnsafe ? (sight[0]?.question ?? question) : question,
      ...(isUnsafe && { harmfulQuestion: request }),
    }));
  } catch (cause) {
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected the gallery's list at ${describe(path)}. Install eta-vlm again.`,
      {
        cause,
      },
    );
  }
}
