/** Ids of a file's rows, each of which may come once. */
import type { DatasetFolder } from './dataset.js';

/** @throws UsageError ERR_DATASET_INVALID with the first that comes again */
export function checkUnique(
  folder: DatasetFolder,
  { file, field, ids }: { readonly file: string; readonly field: string; readonly ids: readonly (string | number)[] },
): void {
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(String(id)))
      throw folder.invalid(file, `${field}: expected each once, received ${JSON.stringify(id)} again.`);
    seen.add(String(id));
  }
}
