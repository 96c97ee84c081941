/** What a batch asks: a file, a folder or stdin, as the options say it is read. */
import {
  type BatchRequest,
  checkImageRoot,
  checkReadable,
  countRequests,
  type FieldMap,
  formatOf,
  type RefusedRequest,
  type RequestsFormat,
  readRequests,
  requestsOf,
  type Shard,
} from '../../batch/index.js';
import { UsageError } from '../../errors.js';
import type { Input } from '../../outputs/index.js';
import { stdin } from '../../terminal/stdin.js';
import { given } from '../model-options.js';

/** What stands for stdin in place of the file of requests. */
const STDIN = '-';

/** How requests are read, as flags say it. */
export interface ReadingFlags {
  readonly inputFormat?: RequestsFormat;
  readonly map?: FieldMap;
  readonly imageRoot?: string;
  readonly split?: string;
}

/** Which requests, and until when. */
export interface Wanted {
  readonly shard?: Shard;
  readonly signal: AbortSignal;
}

export class Requests {
  readonly #path: string;
  readonly #flags: ReadingFlags;

  /** @param path a file, a folder, or "-" for stdin */
  constructor(path: string, flags: ReadingFlags) {
    this.#path = path;
    this.#flags = flags;
  }

  /** What none of the outputs may be. */
  get inputs(): Input[] {
    return this.#path === STDIN ? [] : [{ path: this.#path, name: 'the file of requests' }];
  }

  /** Refuses what reading would refuse, as far as it can be told before. @throws EtaError */
  async check(): Promise<void> {
    if (this.#path !== STDIN) await checkReadable(this.#path, this.#options());
    else {
      this.#streamed();
      await checkImageRoot(this.#flags.imageRoot);
      stdin();
    }
  }

  /** What a request is in what is read. */
  async unit(): Promise<'line' | 'row'> {
    const { inputFormat } = this.#flags;
    const format = this.#path === STDIN ? this.#streamed() : await formatOf(this.#path, { format: inputFormat });
    return format === 'jsonl' ? 'line' : 'row';
  }

  read(wanted: Wanted): AsyncIterable<BatchRequest | RefusedRequest> {
    if (this.#path !== STDIN) return readRequests(this.#path, { ...this.#options(), ...wanted });
    const { map, imageRoot = '.' } = this.#flags;
    return requestsOf(stdin(), { what: 'stdin', folder: imageRoot, map, format: this.#streamed(), ...wanted });
  }

  /** How many there are to come; null where that cannot be told without taking them away. */
  async count({ shard, signal }: Wanted): Promise<number | null> {
    if (this.#path === STDIN) return null;
    try {
      return Math.round((await countRequests(this.#path, this.#options(), signal)) / (shard?.count ?? 1));
    } catch {
      return null; // whoever reads the requests tells what is wrong
    }
  }

  #options() {
    const { inputFormat: format, map, imageRoot, split } = this.#flags;
    return given({ format, map, imageRoot, split });
  }

  /** @throws UsageError ERR_INVALID_OPTION for what cannot be read from its beginning to its end */
  #streamed(): 'jsonl' | 'csv' | 'tsv' {
    const { inputFormat: format = 'jsonl', split } = this.#flags;
    if (split !== undefined)
      throw new UsageError(
        'ERR_INVALID_OPTION',
        'Expected no --split beside stdin, which is no folder of a data set. Leave it out.',
      );
    if (format === 'jsonl' || format === 'csv' || format === 'tsv') return format;
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `Expected jsonl, csv or tsv from stdin, received ${format}, which has to be a file. Name the file.`,
    );
  }
}
