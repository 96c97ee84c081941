/** CLIP scores of many pictures; what cannot be read is named, and stops nothing. */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EtaError, throwIfAborted, UsageError } from '../errors.js';
import { decodeImage } from '../image/index.js';
import { describe, describePath } from '../options.js';
import { readRegular } from '../regular-file.js';
import { sideBySide } from '../side-by-side.js';
import { Turns } from '../turns.js';
import type { RgbImage } from '../types/picture.js';
import type { Scored } from './fit.js';

/** A file that gave no score, and why. */
export interface Unread {
  readonly name: string;
  readonly reason: string;
}

/** Texts that lie beside pictures, and what file managers leave behind. */
const BESIDE = /\.(json|jsonl|txt|md|csv|tsv|html?|xml|ya?ml|license)$|^(thumbs\.db|desktop\.ini|licen[cs]e|readme)$/i;

/** Pictures decoded ahead of CLIP; each holds its pixels. */
const AHEAD = 4;

/**
 * The files of folders (those below too) and of single paths, sorted, each once. Hidden files and texts are passed over
 * in folders; a path that is named is taken.
 *
 * @param option how a message calls the list
 * @throws UsageError ERR_INVALID_OPTION for a path that is not there, or when nothing is found
 */
export async function pictureFiles(paths: readonly string[], option: string): Promise<string[]> {
  const files = new Set<string>();
  for (const path of paths) {
    const found = await stat(path).catch(() => null);
    if (found === null) {
      throw new UsageError(
        'ERR_INVALID_OPTION',
        `${option}: expected a folder of pictures, or pictures, but there is nothing at ${describePath(path)}.`,
      );
    }
    if (found.isDirectory()) for (const file of await filesIn(path)) files.add(file);
    else files.add(path);
  }
  if (files.size > 0) return [...files].sort();
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `${option}: expected pictures, found none in ${paths.map(describe).join(', ')}.`,
  );
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath ?? folder, entry.name))
    .filter(
      (file) =>
        !file
          .slice(folder.length)
          .split(/[\\/]/)
          .some((part) => part.startsWith('.')),
    )
    .filter((file) => !BESIDE.test(basename(file)));
}

export interface ScorePicturesOptions {
  readonly score: (image: RgbImage) => Promise<number>;
  /** Of a picture at most; one with more is not read. @default as `decodeImage` */
  readonly maxPixels?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each file. */
  readonly onPicture?: () => void;
}

/** In the order of the files. @throws AbortError; EvaluatorError */
export async function scorePictures(
  files: readonly string[],
  { score, maxPixels, signal, onPicture }: ScorePicturesOptions,
): Promise<{ readonly scored: Scored[]; readonly unread: Unread[] }> {
  const found = await sideBySide(files, AHEAD, async (file) => {
    throwIfAborted(signal);
    const one = await scorePicture(file, { score, maxPixels, signal });
    onPicture?.();
    return one;
  });
  return {
    scored: found.filter((one): one is Scored => 'score' in one),
    unread: found.filter((one): one is Unread => 'reason' in one),
  };
}

async function scorePicture(
  name: string,
  { score, maxPixels, signal }: ScorePicturesOptions,
): Promise<Scored | Unread> {
  let image: Awaited<ReturnType<typeof decodeImage>>;
  let digest: string;
  try {
    const bytes = await readRegular(name, signal);
    digest = await sha256(bytes);
    image = await decodeImage(bytes, { maxPixels, signal });
  } catch (error) {
    throwIfAborted(signal);
    return { name, reason: error instanceof Error ? error.message : String(error) };
  }
  return await scoredOrUndecided(name, digest, () => score(image));
}

/** A guard that does not answer the question about one still answers it about others. */
export async function scoredOrUndecided(
  name: string,
  digest: string,
  score: () => Promise<number>,
): Promise<Scored | Unread> {
  try {
    return { name, digest, score: await score() };
  } catch (error) {
    if (error instanceof EtaError && error.code === 'ERR_NO_DECISION') return { name, reason: error.message };
    throw error;
  }
}

/** Bytes that are hashed at a stretch. */
const STRETCH_BYTES = 2 ** 22;

async function sha256(bytes: Uint8Array): Promise<string> {
  const turns = new Turns();
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += STRETCH_BYTES) {
    if (turns.isDue) await turns.give();
    hash.update(bytes.subarray(at, at + STRETCH_BYTES));
  }
  return hash.digest('hex');
}
