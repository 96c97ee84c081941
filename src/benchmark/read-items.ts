/** A benchmark's items, read from its folder. */
import { dirname } from 'node:path';
import { UsageError } from '../errors.js';
import { describe } from '../options.js';
import { picturePath } from '../outputs/index.js';
import { type Dataset, DatasetFolder } from './dataset.js';
import type { BenchmarkItem } from './item.js';
import { limited } from './plan.js';

export interface ReadOptions {
  /** @default where the set ships with the package */
  readonly root?: string | undefined;
  /** @default the set's first */
  readonly variant?: string | undefined;
  /** Questions of each category at most. @default all */
  readonly limit?: number | undefined;
}

export interface ReadItems {
  /** "" where the set has one way of asking. */
  readonly variant: string;
  readonly items: readonly BenchmarkItem[];
  /** Files and folders that they were read from, pictures included. */
  readonly paths: readonly string[];
}

/**
 * Reads a benchmark's items.
 *
 * @throws UsageError ERR_INVALID_OPTION for a root that is missing or a variant that the set lacks; what its loader throws
 */
export async function readItems(dataset: Dataset, { root, variant, limit }: ReadOptions): Promise<ReadItems> {
  const place = root ?? dataset.shippedRoot;
  if (place === undefined)
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `${dataset.name}: expected --root with the folder of the set, received none. It is not shipped; it is distributed as: ${dataset.layout.join('; ')}.`,
    );
  const [first = ''] = dataset.variants;
  const chosen = variant ?? first;
  // A placeholder such as <picture> takes any name: the folder knows which there are.
  if (chosen !== first && !first.startsWith('<') && !dataset.variants.includes(chosen))
    throw new UsageError(
      'ERR_INVALID_OPTION',
      dataset.variants.length === 0
        ? `${dataset.name}: expected no variant, because the set is asked in one way, received ${describe(chosen)}.`
        : `${dataset.name}: expected the variant ${dataset.variants.join(', ')}, received ${describe(chosen)}.`,
    );
  const folder = new DatasetFolder(place, dataset);
  const items = await dataset.load(folder, chosen);
  const pictures = items.flatMap(({ image }) => picturePath(image) ?? []);
  return {
    variant: chosen,
    items: limit === undefined ? items : limited(items, limit),
    paths: [...new Set([folder.root, ...folder.seen, ...pictures, ...pictures.map((path) => dirname(path))])],
  };
}
