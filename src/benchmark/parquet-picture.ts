/** A picture in a row of a parquet file, as Hugging Face's datasets saves them: { bytes, path }. */
import { dirname, posix } from 'node:path';
import { describe } from '../options.js';
import { pictureOf } from '../tables/index.js';
import type { ImageSource } from '../types/picture.js';
import type { DatasetFolder } from './dataset.js';

/**
 * The bytes; where they were left out, the file that the path names, beside the parquet or under the root.
 *
 * @param file of the parquet, relative to the root
 * @param where the row, for the message
 * @throws UsageError ERR_DATASET_INVALID when there is neither, or the path leads out of the root
 */
export async function parquetPicture(
  folder: DatasetFolder,
  file: string,
  image: unknown,
  where: string,
): Promise<ImageSource> {
  const wanted = 'image: expected { bytes, path } with the bytes of a picture, or the path of one';
  const picture = pictureOf(image);
  if (picture === null) throw folder.invalid(file, `${where}: ${wanted}, received neither.`);
  if ('bytes' in picture) return picture.bytes;
  const { path } = picture;
  const candidates = [posix.join(dirname(file), path), posix.normalize(path)];
  if (posix.isAbsolute(path) || candidates.some((candidate) => candidate.startsWith('../')))
    throw folder.invalid(file, `${where}: ${wanted} under the root, received ${describe(path)}.`);
  const found = await folder.find(candidates);
  if (found === undefined)
    throw folder.invalid(
      file,
      `${where}: ${wanted}, received ${describe(path)}, which is neither beside the file nor under the root.`,
    );
  return folder.path(found);
}
