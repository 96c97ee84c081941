/** The end of a parquet file written down group by group: the bytes that hyparquet-writer writes, and no long stretch. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { ParquetFooter } from '../../src/tables/parquet-footer.js';
import { longestStretchMs } from '../stretch.js';

const CREATED_BY = 'eta-vlm';

/** Groups of two rows, and both ends: the package's, and ours. */
function written(groupCount: number, columnCount = 3) {
  const data = (group: number) => [`text ${group} é`, group % 3 === 0 ? null : `${group}`];
  const columns = (group: number) =>
    Array.from({ length: columnCount }, (_, at) => ({
      name: `column${at}`,
      type: 'STRING' as const,
      offsetIndex: false,
      data: data(group),
    }));
  const schema = schemaFromColumnData({ columnData: columns(0) });
  const sink = new ByteWriter();
  const writer = new ParquetWriter({ writer: sink, schema, createdBy: CREATED_BY });
  for (let group = 0; group < groupCount; group++) writer.write({ columnData: columns(group), rowGroupSize: 2 });
  const footer = new ParquetFooter({ schema, created_by: CREATED_BY });
  for (const group of writer.row_groups) footer.add(group);
  const begin = sink.offset;
  const packages = () => {
    writer.finish();
    return sink.getBytes().slice(begin);
  };
  return { footer, packages };
}

for (const count of [1, 2, 14, 15, 127, 128, 300])
  test(`the end of ${count} groups is the package's, byte for byte`, () => {
    const { footer, packages } = written(count);
    assert.deepEqual(footer.bytes(), packages());
  });

test('a file without a group has no such end', () => {
  assert.equal(written(0).footer.bytes(), null);
});

test('the end of a million answers is there at once, where the package takes long', async () => {
  const { footer, packages } = written(977, 27);
  const ours = await longestStretchMs(async () => void footer.bytes());
  const theirs = await longestStretchMs(async () => void packages());
  assert.ok(ours < 50, `the event loop stood for ${ours} ms`);
  assert.ok(theirs > 5 * ours && theirs > 50, `the control took ${theirs} ms beside ${ours}`);
});
