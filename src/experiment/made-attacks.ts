/** Pictures that somebody changed elsewhere, such as with the gate's gradients: read from their folder, told by what they were. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DatasetFolder } from '../benchmark/index.js';
import { readSource } from '../image/index.js';
import { describe } from '../options.js';
import { picturePath } from '../outputs/index.js';
import { sha256OfFile } from '../regular-file.js';
import type { ImageSource } from '../types/picture.js';
import { type Change, label } from './changed-item.js';
import { CHANGE_NAMES } from './chosen-changes.js';

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in hexadecimal');

const attacksSchema = z.strictObject({
  format: z.literal('eta-vlm/attacks'),
  formatVersion: z.literal(1),
  /** SHA-256 of the CLIP graph that they were made against. */
  clip: sha256Schema,
  pictures: z
    .array(
      z.strictObject({
        change: z.string().min(1),
        unit: z.string(),
        strength: z.number().positive(),
        /** SHA-256 of the file that it was made of. */
        of: sha256Schema,
        picture: z.string().min(1),
      }),
    )
    .min(1),
});

const FILE = 'attacks.json';
const LAYOUT = { name: 'attacks', layout: [FILE, 'pictures/<name>.png'] };

/** Changed pictures by the SHA-256 of the file that each was made of. */
export interface MadeAttacks {
  /** SHA-256 of the CLIP graph that they were made against. */
  readonly clip: string;
  readonly pictures: ReadonlyMap<string, readonly (Change & { readonly picture: string })[]>;
}

/** @throws UsageError ERR_DATASET_LAYOUT, ERR_DATASET_INVALID */
export async function readAttacks(root: string): Promise<MadeAttacks> {
  const folder = new DatasetFolder(root, LAYOUT, '--attacks');
  const { clip, pictures } = await folder.json(attacksSchema, FILE);
  const paths = await folder.pictures(pictures.map(({ picture }) => picture));
  const made = new Map<string, (Change & { readonly picture: string })[]>();
  for (const [index, { of, picture, ...change }] of pictures.entries()) {
    const own = made.get(of) ?? [];
    made.set(of, own);
    const wrong = CHANGE_NAMES.includes(change.change)
      ? `change: expected a name of its own, received ${describe(change.change)}, which is one of --change`
      : own.some((other) => label(other) === label(change))
        ? `expected one picture for each file, change and strength, received a second ${label(change)} of ${of}`
        : null;
    if (wrong !== null) throw folder.invalid(FILE, `pictures.${index}: ${wrong}.`);
    own.push({ ...change, picture: paths.get(picture) ?? picture });
  }
  return { clip, pictures: made };
}

/** What was made of a picture; nothing of pixels, which have no file. */
export async function attacksOn(image: ImageSource, { pictures }: MadeAttacks, signal?: AbortSignal) {
  return pictures.get(await sha256Of(image, signal)) ?? [];
}

async function sha256Of(image: ImageSource, signal: AbortSignal | undefined): Promise<string> {
  const path = picturePath(image);
  if (path !== null) return await sha256OfFile(path, signal);
  if (typeof image === 'object' && 'width' in image) return '';
  const { bytes } = await readSource(image, signal);
  return createHash('sha256').update(bytes).digest('hex');
}
