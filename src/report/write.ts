/** A report as files in a folder. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '../errors.js';
import { describe } from '../options.js';
import { standaloneSvg } from './draw.js';
import { reportHtml } from './html.js';
import { reportSections } from './layout.js';
import { reportMarkdown } from './markdown.js';
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
  const html = await reportHtml(data, sections);
  try {
    await mkdir(plots.length > 0 ? join(folder, PLOT_FOLDER) : folder, { recursive: true });
    await replace(files.metrics, metricsJson(data));
    await replace(files.markdown, reportMarkdown(data, sections, PLOT_FOLDER));
    for (const [at, plot] of plots.entries()) await replace(files.plots[at] ?? '', standaloneSvg(plot));
    await replace(files.html, html);
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

/** The data as JSON, pictures left out; NaN becomes null. Scores keep six significant digits. */
export function metricsJson(data: ReportData): string {
  const shown = {
    ...data,
    ...(data.examples === undefined ? {} : { examples: data.examples.map((one) => ({ ...one, picture: null })) }),
    ...(data.distributions === undefined
      ? {}
      : {
          distributions: data.distributions.map((one) => ({
            ...one,
            groups: one.groups.map((group) => ({
              ...group,
              values: group.values.map((value) => Number(value.toPrecision(6))),
            })),
          })),
        }),
  };
  return `${JSON.stringify(shown, null, 1)}\n`;
}

/** A reader, and a stop in the middle, sees the old file or the new one, never half of one. */
async function replace(path: string, text: string): Promise<void> {
  const beside = `${path}.${process.pid}.part`;
  await writeFile(beside, text);
  await rename(beside, path);
}
