/**
 * Rows of an Arrow IPC file or stream, as `save_to_disk` of Hugging Face's datasets writes it: a schema, then batches of
 * some hundred rows, each a message that tells its size. One batch is held at a time.
 */
import type { Column, Table as Decoded } from '@uwdata/flechette';
import { FileError } from '../errors.js';
import { describe } from '../options.js';
import { Turns } from '../turns.js';
import { checkDictionary, checkTable } from './arrow-bounds.js';
import { type ArrowHead, arrowHead, BATCH, DICTIONARY, SCHEMA } from './arrow-head.js';
import { FileBytes } from './file-bytes.js';
import type { Table, TableRow } from './table.js';
import { checkColumns, foreignTable } from './unread-table.js';

const FILE_MAGIC = 'ARROW1';
/** Of a file, where its messages begin. */
const FILE_HEAD_BYTES = 8;
/** Before the size of a message's head. */
const CONTINUATION = 0xffffffff;
const ALIGNMENT = 8;

/** A message, from its first byte to its body's last. */
interface Message extends ArrowHead {
  readonly start: number;
  readonly byteCount: number;
}

export class ArrowTable implements Table {
  readonly columns: readonly string[];
  /** Only reading tells. */
  readonly rowCount = null;
  readonly #file: FileBytes;
  readonly #schema: Message;

  private constructor(file: FileBytes, schema: Message, columns: readonly string[]) {
    this.#file = file;
    this.#schema = schema;
    this.columns = columns;
  }

  /** @throws FileError ERR_FILE_READ; ERR_FILE_INVALID for what is no whole Arrow file */
  static async open(path: string): Promise<ArrowTable> {
    const file = await FileBytes.open(path);
    const head = Buffer.from(await file.read(0, FILE_HEAD_BYTES));
    const isFile = head.toString('latin1', 0, FILE_MAGIC.length) === FILE_MAGIC;
    const isStream = head.length >= 4 && head.readUInt32LE() === CONTINUATION;
    try {
      if (!isFile && !isStream)
        throw foreignTable(file, 'an Arrow file or stream', `${FILE_MAGIC} or the mark of a message`);
      const schema = await messageAt(file, isFile ? FILE_HEAD_BYTES : 0);
      if (schema?.kind !== SCHEMA) throw new RangeError('it does not begin with a schema');
      const { names } = await decoded([await file.read(schema.start, schema.byteCount)]);
      checkColumns(file.what, names);
      return new ArrowTable(file, schema, names);
    } catch (cause) {
      await file.close();
      throw broken(file.what, cause);
    }
  }

  async *rows(columns: readonly string[], signal?: AbortSignal): AsyncGenerator<TableRow, void> {
    const turns = new Turns(signal);
    let number = 0;
    for await (const batch of this.#batches()) {
      const wanted = columns.map((name) => ({ name, column: batch.getChild(name) }));
      for (let index = 0; index < batch.numRows; index++) {
        if (turns.isDue) await turns.give();
        number++;
        yield { number, values: this.#valuesAt(index, wanted), problem: null };
      }
    }
  }

  /** Of a row of a batch, what is there. */
  #valuesAt(
    index: number,
    wanted: readonly { readonly name: string; readonly column: Column<unknown> }[],
  ): TableRow['values'] {
    try {
      const values = wanted.map(({ name, column }): [string, unknown] => [name, own(column.at(index))]);
      return Object.fromEntries(values.filter(([, value]) => value !== null && value !== undefined));
    } catch (cause) {
      throw broken(this.#file.what, cause); // offsets that lead out of the batch
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async *#batches(): AsyncGenerator<Decoded, void> {
    try {
      // What dictionaries hold, every batch behind them may need.
      const before = [await this.#bytes(this.#schema)];
      for (let at = endOf(this.#schema); ; ) {
        const message = await messageAt(this.#file, at);
        if (message === null) return;
        at = endOf(message);
        const { kind, dictionary, bodyLength } = message;
        if (kind !== DICTIONARY && kind !== BATCH) continue;
        const bytes = await this.#bytes(message);
        if (dictionary !== null) {
          checkDictionary(dictionary, this.#schema.dictionaryTypes.get(dictionary.id), bytes.subarray(-bodyLength));
          before.push(bytes);
        } else {
          const table = await decoded([...before, bytes]);
          checkTable(table);
          yield table;
        }
      }
    } catch (cause) {
      throw broken(this.#file.what, cause);
    }
  }

  async #bytes({ start, byteCount }: Message): Promise<Uint8Array> {
    const bytes = await this.#file.read(start, byteCount);
    if (bytes.length < byteCount) throw new RangeError('the file ends within a message');
    return bytes;
  }
}

const endOf = ({ start, byteCount }: Message) => start + byteCount;

async function decoded(messages: Uint8Array[]): Promise<Decoded> {
  const { tableFromIPC } = await import('@uwdata/flechette');
  return tableFromIPC(messages, { useBigInt: true }); // an id may be beyond the whole numbers of JavaScript
}

/** Null at the end of the messages. */
async function messageAt(file: FileBytes, start: number): Promise<Message | null> {
  const prefix = viewOf(await file.read(start, 8));
  if (prefix.byteLength < 8) return null; // a stream may end without saying so
  const isMarked = prefix.getUint32(0, true) === CONTINUATION;
  const headStart = start + (isMarked ? 8 : 4);
  const headLength = prefix.getInt32(isMarked ? 4 : 0, true);
  if (headLength === 0) return null;
  if (headLength < 0 || headStart + headLength > file.byteLength) throw new RangeError('a message without a head');
  const head = arrowHead(viewOf(await file.read(headStart, headLength)));
  const { bodyLength } = head;
  const byteCount = headStart - start + headLength + bodyLength;
  if (!isMarked && (headStart + headLength) % ALIGNMENT !== 0) throw new RangeError('a form before Arrow 0.15');
  if (start + byteCount > file.byteLength) throw new RangeError('the file ends within a message');
  return { ...head, start, byteCount };
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** In memory of its own, so that no row keeps its batch. */
function own(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.slice();
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>);
  if (Array.isArray(value)) return value.map(own);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, own(field)]));
}

function broken(what: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause;
  const said = cause instanceof Error ? cause.message : describe(cause);
  return new FileError(
    'ERR_FILE_INVALID',
    `${what}: expected a whole Arrow file without compression, which this is not (${said}). Save it again.`,
    { cause },
  );
}
