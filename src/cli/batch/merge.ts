/** `eta-vlm batch merge`: the answers of several shards, joined. */
import { mergeResults, resultsOutputs } from '../../batch/index.js';
import { checkApart } from '../../outputs/index.js';
import { EXIT } from '../../terminal/failure.js';
import { fitted } from '../../terminal/fit.js';
import { write } from '../../terminal/output.js';
import { columnsOf, createPaint } from '../../terminal/paint.js';
import { summaryLines } from './summary.js';
import { waitNotice } from './wait-notice.js';
import { checkWritten, type WritingFlags, writeBeside, writtenOutputs } from './written.js';

export interface MergeOptions extends WritingFlags {
  readonly out: string;
  readonly ordered?: boolean;
  readonly overwrite?: boolean;
}

/**
 * @returns the exit code: 3 when a shard is missing
 * @throws EtaError what joining throws; AbortError
 */
export async function batchMerge(
  paths: readonly string[],
  options: MergeOptions,
  signal: AbortSignal,
): Promise<number> {
  const { out, ordered, overwrite } = options;
  const outputs = [...(await resultsOutputs(out)), ...writtenOutputs(out, options)];
  await checkApart(
    outputs,
    paths.map((path) => ({ path, name: 'one of the files to merge' })),
  );
  await checkWritten(out, options, overwrite === true);
  const notices = new Map([...paths, out].map((path) => [path, waitNotice(path, false)]));
  const { tally, missingShards } = await mergeResults({
    paths,
    out,
    ordered,
    overwrite,
    signal,
    onWait: (path, holder) => notices.get(path)?.(holder),
  });
  const written = await writeBeside(out, options, signal);
  const paint = createPaint(process.stderr);
  const lines = summaryLines(
    { doneCount: tally.lineCount, keptCount: tally.lineCount, tally },
    {
      isWhole: true,
      path: out,
      written,
      failures: [],
      paint,
      mergedFileCount: paths.length,
      columns: columnsOf(process.stderr),
    },
  );
  if (missingShards.length > 0) {
    const missing = `${missingShards.join(', ')} ${missingShards.length === 1 ? 'is' : 'are'} missing`;
    lines.push(fitted(process.stderr, paint('yellow', `Not all shards were given: ${missing}.`)));
  }
  write(process.stderr, `${lines.join('\n')}\n`);
  return missingShards.length > 0 ? EXIT.someFailed : EXIT.ok;
}
