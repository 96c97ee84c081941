/** Pictures of a request of a batch: none may be what the batch writes. */
import { UsageError } from '../errors.js';
import type { EtaRequest } from '../eta/index.js';
import { picturePath } from '../outputs/index.js';
import type { Turn } from '../types/turn.js';
import type { ResultsFile } from './results-file.js';

/** @throws UsageError ERR_INVALID_LINE for a picture that is written to */
export async function checkPictures(request: EtaRequest, results: ResultsFile): Promise<void> {
  for (const path of picturesOf(request).map(picturePath)) {
    if (path === null || !(await results.isOwn(path))) continue;
    throw new UsageError(
      'ERR_INVALID_LINE',
      `request: expected a picture, received ${JSON.stringify(path)}, which the results in ${JSON.stringify(results.path)} are written to. Name another of the two.`,
    );
  }
}

/** Whatever stands where pictures do; what is none, `respond` refuses. */
function picturesOf({ image, images, turns }: EtaRequest): unknown[] {
  const listed = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  return [image, ...listed(images), ...listed(turns).flatMap((turn) => listed((turn as Turn | null)?.images))];
}
