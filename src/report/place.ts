/** What a report takes of its folder, and what may stand there: an earlier report, and nothing else. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { describePath } from '../options.js';
import { earlierAt, type FileEnds, type Output } from '../outputs/index.js';

export const PLOT_FOLDER = 'plots';

/** Whether a file is that part of a report: told by what every one of them has, those of earlier versions too. */
const PARTS: Readonly<Record<string, (ends: FileEnds) => boolean>> = {
  'report.html': ({ head, tail }) => head.startsWith('<!doctype html>') && tail.includes('<footer><p>Made by eta-vlm'),
  'report.md': ({ head, tail }) => head.startsWith('# ') && RUN_FACTS.every((text) => tail.includes(text)),
  'metrics.json': ({ head }) => head.startsWith('{\n "') && METRICS.every((name) => head.includes(`\n "${name}": "`)),
};
const RUN_FACTS = ['## How it was measured\n', '\n### Versions\n', '\n- eta-vlm: '];
const METRICS = ['title', 'subject', 'command', 'startedAt'];

const isPlot = ({ head }: FileEnds) => /^<svg xmlns="[^"]*" [^>]* role="img" aria-labelledby="plot-/.test(head);

/**
 * What a report takes of its folder; the folder of its plots is all its own.
 *
 * @param name what a message calls it
 */
export function reportOutputs(folder: string, name = 'The report (--out)'): Output[] {
  return [
    ...Object.keys(PARTS).map((file) => ({ path: join(folder, file), name })),
    { path: join(folder, PLOT_FOLDER), name: name.replace('The report', 'The plots of the report'), isFolder: true },
  ];
}

/**
 * Refuses early what {@link writeReport} would refuse once everything was measured.
 *
 * @throws UsageError ERR_RESULTS_EXIST for a file that is no part of a report
 */
export async function checkReportPlace(folder: string): Promise<void> {
  const plots = await readdir(join(folder, PLOT_FOLDER)).catch(() => []);
  const files = [
    ...Object.entries(PARTS),
    ...plots.filter((name) => name.endsWith('.svg')).map((name) => [join(PLOT_FOLDER, name), isPlot] as const),
  ];
  for (const [name, isOurs] of files) {
    const path = join(folder, name);
    if ((await earlierAt(path, isOurs)) !== 'other') continue;
    throw new UsageError(
      'ERR_RESULTS_EXIST',
      `Expected nothing at ${describePath(path)}, where a report goes, or that of an earlier report; found something else, which stays. Name another folder, or take the file away.`,
    );
  }
}
