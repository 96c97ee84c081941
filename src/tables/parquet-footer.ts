/**
 * The end of a parquet file, written down group by group: hyparquet-writer makes all of it at once, which holds the event
 * loop for half a second where there are a thousand groups, and keeps what it is made of until then. What a group comes to
 * is cut out of a footer that has no other, so that its form stays the package's.
 */
import type { FileMetaData, RowGroup } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';

/** "PAR1", which a file begins and ends with. */
const MAGIC = 0x31524150;

/** The length of the footer, behind it. */
const LENGTH_BYTES = 4;

/** In Thrift's compact protocol: the header of a list of structs has their number in its upper four bits up to here. */
const MOST_IN_HEADER = 14;
const STRUCT = 12;
const LONG_LIST = 0xf0 | STRUCT;

export class ParquetFooter {
  readonly #about: Pick<FileMetaData, 'schema' | 'created_by'>;
  readonly #groups: Uint8Array[] = [];
  #rowCount = 0n;
  /** What stands behind the groups. */
  #tail: Uint8Array | undefined;

  constructor(about: Pick<FileMetaData, 'schema' | 'created_by'>) {
    this.#about = about;
  }

  /** A group that has been written. */
  add(group: RowGroup): void {
    const alone = this.#of([group]);
    // Twice the group is longer by the group, and differs first in the header of the list.
    const twice = this.#of([group, group]);
    const begin = alone.findIndex((byte, at) => byte !== twice[at]) + 1;
    const end = begin + twice.length - alone.length;
    this.#groups.push(alone.slice(begin, end));
    this.#tail ??= alone.slice(end);
    this.#rowCount += group.num_rows;
  }

  /** The bytes behind the last group; null without a group. */
  bytes(): Uint8Array | null {
    const [first] = this.#groups;
    if (first === undefined || this.#tail === undefined) return null;
    const { length: count } = this.#groups;
    const placeholder: RowGroup = { columns: [], num_rows: 0n, total_byte_size: 0n };
    const [one, two] = [this.#of([placeholder]), this.#of([placeholder, placeholder])];
    const size = this.#groups.reduce((sum, group) => sum + group.length, 2 * one.length);
    const writer = new ByteWriter(size);
    writer.appendBytes(
      one.slice(
        0,
        one.findIndex((byte, at) => byte !== two[at]),
      ),
    );
    writer.appendUint8(count > MOST_IN_HEADER ? LONG_LIST : (count << 4) | STRUCT);
    if (count > MOST_IN_HEADER) writer.appendVarInt(count);
    for (const group of this.#groups) writer.appendBytes(group);
    writer.appendBytes(this.#tail);
    writer.appendUint32(writer.offset);
    writer.appendUint32(MAGIC);
    return writer.getBytes();
  }

  /** A footer of these groups. */
  #of(groups: RowGroup[]): Uint8Array {
    const writer = new ByteWriter();
    const metadata = { version: 2, ...this.#about, num_rows: this.#rowCount, row_groups: groups };
    writeMetadata(writer, metadata as FileMetaData); // what it lacks is the length, which is what is written
    return writer.getBytes().slice(0, -LENGTH_BYTES);
  }
}
