/** A report as files in a folder. */
import { join } from 'node:path';
import { makeFolder, type Output, writeWhole } from '../outputs/index.js';
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

/** What a report takes of its folder; the folder of its plots is all its own. */
export function reportOutputs(folder: string): Output[] {
  const name = 'The report (--out)';
  return [
    ...['report.html', 'report.md', 'metrics.json'].map((file) => ({ path: join(folder, file), name })),
    { path: join(folder, PLOT_FOLDER), name: 'The plots of the report (--out)', isFolder: true },
  ];
}

/**
 * Writes report.html, report.md with plots/*.svg, and metrics.json into a folder, which is made when it is missing.
 * Files of an earlier report are replaced, each at once.
 *
 * @throws FileError ERR_FILE_WRITE when a file of it cannot be written; ERR_INVALID_OPTION as {@link writeWhole}
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
  await makeFolder(plots.length > 0 ? join(folder, PLOT_FOLDER) : folder);
  await writeText(files.metrics, metricsJson(data));
  await writeText(files.markdown, reportMarkdown(data, sections, PLOT_FOLDER));
  for (const [at, plot] of plots.entries()) await writeText(files.plots[at] ?? '', standaloneSvg(plot));
  await writeText(files.html, html);
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

async function writeText(path: string, text: string): Promise<void> {
  await writeWhole(path, (draft) => draft.writeFile(text));
}
