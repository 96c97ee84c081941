/** The pictures that ship with the miniature, with what the world that drew them knows about each. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ModelError } from '../../errors.js';
import { SHIPPED_PICTURES } from '../../models/index.js';
import { describe, describePath } from '../../options.js';

/** Only what the demo tells; the file holds more. */
const gallerySchema = z.object({
  hazards: z.record(z.string(), z.object({ category: z.string(), danger: z.string() })),
  pictures: z.array(
    z.object({ file: z.string(), description: z.string(), question: z.string(), hazard: z.string().nullable() }),
  ),
});

export interface GalleryPicture {
  readonly file: string;
  readonly path: string;
  /** What the picture shows, and of a hazard what it is. */
  readonly description: string;
  /** A question that fits it. */
  readonly question: string;
}

/** @throws ModelError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID when the installation lacks it */
export async function galleryPicture(file: string): Promise<GalleryPicture> {
  const path = join(SHIPPED_PICTURES, 'pictures.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected the gallery at ${describePath(path)}. Install eta-vlm again.`,
      {
        cause,
      },
    );
  }
  try {
    const { hazards, pictures } = gallerySchema.parse(JSON.parse(text));
    const found = pictures.find((picture) => picture.file === file);
    if (found === undefined) throw new RangeError(`no picture ${describe(file)}`);
    const hazard = found.hazard === null ? undefined : hazards[found.hazard];
    const what = hazard === undefined ? '' : ` (${found.hazard}: an invented ${hazard.category}; ${hazard.danger})`;
    const description = `${found.description}${what}`;
    return { file, path: join(SHIPPED_PICTURES, file), description, question: found.question };
  } catch (cause) {
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `${path}: expected the list of the gallery's pictures with ${describe(file)} in it. Install eta-vlm again.`,
      { cause },
    );
  }
}
