/** One part of several of a batch's requests, so that several machines may answer them. */
import { createHash } from 'node:crypto';

/** Six digits are more than there are machines. */
export const MOST_SHARDS = 999_999;

/** One of several parts of the requests, told by their ids. */
export interface Shard {
  /** From 1 to `count`. */
  readonly index: number;
  /** How many parts there are, 1 to 999999. */
  readonly count: number;
}

/** As settings and the command line write it: "2/4". */
export function shardName({ index, count }: Shard): string {
  return `${index}/${count}`;
}

/** {@link shardName} read back; null for what is none. */
export function shardNamed(name: unknown): Shard | null {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(typeof name === 'string' ? name : '') ?? [];
  return index === undefined || count === undefined ? null : { index: Number(index), count: Number(count) };
}

/** Which of `shardCount` shards a key belongs to, from 1: by its SHA-256, so that neither order nor length matter. */
export function shardOf(key: string, shardCount: number): number {
  return (createHash('sha256').update(key).digest().readUInt32BE(0) % shardCount) + 1;
}

/** Whether a request is of this part: told by its id, or by its digest where it has none that can be used. */
export function isInShard(
  request: { readonly id: string | null; readonly digest?: string | undefined },
  shard: Shard,
): boolean {
  return shardOf(request.id ?? request.digest ?? '', shard.count) === shard.index;
}
