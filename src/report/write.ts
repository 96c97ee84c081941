/** A report as files in a folder. */
import { join } from 'node:path';
import { makeFolder, writeWhole } from '../outputs/index.js';
import { standaloneSvg } from './draw.js';
import { htmlPieces } from './html.js';
import { reportSections } from './layout.js';
import { markdownPieces } from './markdown.js';
import { metricsPieces } from './metrics.js';
import { checkReportPlace, PLOT_FOLDER } from './place.js';
import type { ReportData } from './report-data.js';

/** Where the parts of a report were written. */
export interface ReportFiles {
  readonly html: string;
  readonly markdown: string;
  readonly metrics: string;
  readonly plots: readonly string[];
}

/**
 * Writes report.html, report.md with plots/*.svg, and metrics.json into a folder, which is made when it is missing.
 * Files of an earlier report are replaced, each at once, and nothing else.
 *
 * @throws UsageError as {@link checkReportPlace}; FileError ERR_FILE_WRITE when a file of it cannot be written; ERR_INVALID_OPTION as {@link writeWhole}
 */
export async function writeReport(data: ReportData, folder: string): Promise<ReportFiles> {
  await checkReportPlace(folder);
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
  await makeFolder(plots.length > 0 ? join(folder, PLOT_FOLDER) : folder);
  await writePieces(files.metrics, metricsPieces(data));
  await writePieces(files.markdown, markdownPieces(data, sections, PLOT_FOLDER));
  for (const [at, plot] of plots.entries()) await writePieces(files.plots[at] ?? '', [standaloneSvg(plot)]);
  await writePieces(files.html, htmlPieces(data, sections));
  return files;
}

async function writePieces(path: string, pieces: Iterable<string>): Promise<void> {
  await writeWhole(path, async (draft) => {
    for (const chunk of chunks(pieces)) await draft.appendFile(chunk);
  });
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
