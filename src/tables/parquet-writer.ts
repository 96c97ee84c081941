/** A parquet file from rows, a group of them at a time. The package that writes it is loaded when one is written. */
import type { FileHandle } from 'node:fs/promises';
import type { RowGroup } from 'hyparquet';
import { Turns } from '../turns.js';

/** What a cell of a written table holds. */
export type WrittenCell = string | number | boolean | null;

/** A column of a written table. */
export interface WrittenColumn {
  readonly name: string;
  /** `INT64` takes whole numbers. */
  readonly type: 'STRING' | 'INT64' | 'DOUBLE' | 'BOOLEAN';
}

const CREATED_BY = 'eta-vlm';

/** Rows of one group. Nobody else has his turn while a column of it is encoded. */
const GROUP_ROWS = 1024;

/** What is written at once, or a little more: a column of a group is less. */
const FLUSH_BYTES = 2 ** 17;

/** Cells of a group, in characters: long texts make shorter groups. */
const GROUP_CHARACTERS = 2 ** 20;

/**
 * @param rows each with a cell for every column
 * @throws what `rows` and writing throw
 */
export async function writeParquet(
  file: FileHandle,
  columns: readonly WrittenColumn[],
  rows: AsyncIterable<readonly WrittenCell[]>,
  signal?: AbortSignal,
): Promise<void> {
  const { ByteWriter, ParquetWriter, schemaFromColumnData } = await import('hyparquet-writer');
  const { ParquetFooter } = await import('./parquet-footer.js');
  class Sink extends ByteWriter {
    async flush(): Promise<void> {
      if (this.index >= FLUSH_BYTES) await this.finish();
    }
    override async finish(): Promise<void> {
      await file.appendFile(this.getBytes().slice());
      this.index = 0;
    }
  }
  const of = (data: readonly (readonly WrittenCell[])[]) =>
    columns.map(({ name, type }, index) => ({
      name,
      type,
      offsetIndex: false,
      data: data.map((row) => cellOf(row[index] ?? null, type)),
    }));
  const schema = schemaFromColumnData({ columnData: of([]) });
  const sink = new Sink();
  const writer = new ParquetWriter({ writer: sink, schema, createdBy: CREATED_BY });
  const footer = new ParquetFooter({ schema, created_by: CREATED_BY });
  const turns = new Turns(signal);
  let group: (readonly WrittenCell[])[] = [];
  let characterCount = 0;
  const end = async () => {
    await turns.give();
    for (const column of of(group)) {
      if (turns.isDue) await turns.give();
      await writer.write({ columnData: [column], rowGroupSize: group.length });
    }
    footer.add(together(writer.row_groups.splice(0), group.length));
    writer.pendingIndexes.length = 0; // of indexes that are not written
    group = [];
    characterCount = 0;
  };
  for await (const row of rows) {
    group.push(row);
    for (const cell of row) if (typeof cell === 'string') characterCount += cell.length;
    if (group.length === GROUP_ROWS || characterCount >= GROUP_CHARACTERS) await end();
  }
  if (group.length > 0) await end();
  const ending = footer.bytes();
  if (ending === null) {
    await writer.finish();
    return;
  }
  await sink.finish();
  await file.appendFile(ending);
}

/** Columns of a group that were written one after another, each as a group: one group. */
function together(columns: readonly RowGroup[], rowCount: number): RowGroup {
  const sum = (sizes: readonly (bigint | undefined)[]) => sizes.reduce<bigint>((all, size = 0n) => all + size, 0n);
  return {
    columns: columns.flatMap((column) => column.columns),
    total_byte_size: sum(columns.map((column) => column.total_byte_size)),
    num_rows: BigInt(rowCount),
    total_compressed_size: sum(columns.map((column) => column.total_compressed_size)),
  };
}

function cellOf(cell: WrittenCell, type: WrittenColumn['type']): unknown {
  return type === 'INT64' && typeof cell === 'number' ? BigInt(cell) : cell;
}
