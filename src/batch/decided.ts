/** What a batch decides, read from the settings that its results are bound to: no line may be made otherwise. */
import { UsageError } from '../errors.js';
import { describePath } from '../options.js';
import type { KeptParts } from './answer-line.js';
import { BATCH_SEED } from './defaults.js';
import type { BatchSettings } from './settings.js';
import { type Shard, shardNamed } from './shard.js';

/** What of {@link RunBatchOptions} the settings decide. */
interface Given extends KeptParts {
  readonly seed?: number | undefined;
}

/** What decides, defaults filled in. */
export interface Decided {
  readonly seed: number;
  readonly keepsTrace: boolean;
  readonly repeatable: boolean;
  /** Null: all requests. */
  readonly shard: Shard | null;
}

/**
 * What the settings say; where they are of a form of the caller's own and do not speak of it, what is given.
 *
 * @throws UsageError ERR_RESULTS_DIFFER for what is given otherwise than the settings say
 */
export function decided(results: { readonly path: string; readonly settings: BatchSettings }, given: Given): Decided {
  const { path, settings } = results;
  const one = <Value extends number | boolean>(name: 'seed' | 'keepsTrace' | 'repeatable', other: Value): Value => {
    const [bound, asked] = [settings[name], given[name] as Value | undefined];
    if (typeof bound !== typeof other) return asked ?? other;
    if (asked === undefined || asked === bound) return bound as Value;
    throw new UsageError(
      'ERR_RESULTS_DIFFER',
      `${name}: expected ${bound}, as the settings of ${describePath(path)} say, received ${asked}. Leave it out, or begin another results file under it.`,
    );
  };
  return {
    seed: one<number>('seed', BATCH_SEED),
    keepsTrace: one<boolean>('keepsTrace', false),
    repeatable: one<boolean>('repeatable', false),
    shard: shardNamed(settings['shard']),
  };
}
