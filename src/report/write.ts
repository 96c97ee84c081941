/** A report as files in a folder. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '../errors.js';
import { describe } from '../options.js';
import { standaloneSvg } from './draw.js';
import { htmlPieces } from './html.js';
import { reportSections } from './layout.js';
import { markdownPieces } from './markdown.js';
import { metricsPieces } from './metrics.js';
import type { ReportData } from './report-data.js';

/** Where the parts of a report were written. */
export interface ReportFiles {
  readonly html: string;
  readonly markdown: string;
  readonly metrics: string;
  readonly plots: readonly string[];
}

const PLOT_FOLDER = 'plots';

/**
 * Writes report.html, report.md with plots/*.svg, and metrics.json into a folder, which is made when it is missing.
 * Files of an earlier report are replaced, each at once.
 *
 * @throws FileError ERR_FILE_WRITE when the folder cannot be written to
 */
export async function writeReport(data: ReportData, folder: string): Promise<ReportFiles> {
  const sections = await reportSections(data);
  const plots = sections.flatMap(({ blocks }) =>
    blocks.flatMap((block) => (block.kind === 'plot' ? [block.plot] : [])),
  );
  const files = {
    html: join(folder, 'report.html'),
    markdown: join(folder, 'report.md'),
    metrics: join(folder, 'metrics.json'),
    plots: plots.map(({ name }) => join(folder, PLOT_FOLDER, `${name}.svg`)),
  };
  try {
    await mkdir(plots.length > 0 ? join(folder, PLOT_FOLDER) : folder, { recursive: true });
    await replace(files.metrics, metricsPieces(data));
    await replace(files.markdown, markdownPieces(data, sections, PLOT_FOLDER));
    for (const [at, plot] of plots.entries()) await replace(files.plots[at] ?? '', [standaloneSvg(plot)]);
    await replace(files.html, htmlPieces(data, sections));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new FileError(
      'ERR_FILE_WRITE',
      `The report cannot be written to ${describe(folder)} (${code ?? String(cause)}). Expected a folder that can be written to: name another.`,
      { cause },
    );
  }
  return files;
}

/** A reader, and a stop in the middle, sees the old file or the new one, never half of one. */
async function replace(path: string, pieces: Iterable<string>): Promise<void> {
  const beside = `${path}.${process.pid}.part`;
  await writeFile(beside, chunks(pieces));
  await rename(beside, path);
}

/** Characters that are written at once; between two writes the event loop has its turn. */
const CHUNK_LENGTH = 2 ** 17;

/** Pieces joined to what is worth a write. */
function* chunks(pieces: Iterable<string>): Generator<string, void> {
  let chunk = '';
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK_LENGTH) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}
