/** A report as Markdown, with its plots as files beside it. */
import { cutText, TEXT_LIMIT } from './example-html.js';
import { dataTable } from './figures.js';
import { fixed, isNumber } from './numbers.js';
import type { DataTable, Example, ExampleAnswer, ReportData } from './report-data.js';
import type { Block, FactGroup, Section, Table } from './sections.js';
import { escapeMarkdown, fenced, shortened, visible } from './texts.js';

/** @param plots folder of the SVG files, relative to the document */
export function reportMarkdown(data: ReportData, sections: readonly Section[], plots: string): string {
  return [...markdownPieces(data, sections, plots)].join('');
}

/** The document piece by piece, each made when it is asked for. */
export function* markdownPieces(
  data: ReportData,
  sections: readonly Section[],
  plots: string,
): Generator<string, void> {
  yield `# ${escapeMarkdown(data.title)}\n\n${escapeMarkdown(data.subject)}`;
  for (const { title, blocks } of sections) {
    yield `\n\n## ${escapeMarkdown(title)}`;
    for (const block of blocks) {
      if (block.kind !== 'examples') yield `\n\n${blockText(block, plots)}`;
      else for (const [at, one] of block.examples.entries()) yield `\n\n${exampleText(one, at)}`;
    }
  }
  yield '\n';
}

function blockText(block: Exclude<Block, { kind: 'examples' }>, plots: string): string {
  switch (block.kind) {
    case 'text':
      return escapeMarkdown(block.text);
    case 'list':
      return block.items.map((item) => `- ${escapeMarkdown(item)}`).join('\n');
    case 'code':
      return fenced(block.text);
    case 'facts':
      return block.groups.map(factsText).join('\n\n');
    case 'table':
      return markdownTable(block.table);
    case 'plot':
      return `![${escapeMarkdown(block.plot.title)}](${plots}/${block.plot.name}.svg)\n\n${escapeMarkdown(block.caption)}`;
  }
}

function factsText({ title, facts }: FactGroup): string {
  const lines = facts.map(([name, value]) => `- ${escapeMarkdown(name)}: ${escapeMarkdown(value)}`);
  return [`### ${escapeMarkdown(title)}`, '', ...lines].join('\n');
}

/** A table alone, without Markdown's escapes. */
export function dataTableText(table: DataTable): string {
  return paddedTable(plainTable(table), visible);
}

/** A table with its cells as texts. */
export function plainTable(table: DataTable): Table {
  return { ...dataTable(table).table, caption: `${table.title}: ${table.caption}` };
}

/** Columns padded, so that it reads as plain text too. */
function markdownTable(table: Table): string {
  return paddedTable(table, escapeMarkdown);
}

function paddedTable({ caption, columns, rows, leftOut }: Table, shown: (text: string) => string): string {
  const cells = [columns.map(({ name }) => name), ...rows].map((row) => row.map(shown));
  const widths = columns.map((_, at) => Math.max(3, ...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]) => {
    const padded = columns.map(({ isNumeric }, at) => {
      const width = widths[at] ?? 3;
      return isNumeric ? (row[at] ?? '').padStart(width) : (row[at] ?? '').padEnd(width);
    });
    return `| ${padded.join(' | ')} |`;
  };
  const rule = columns.map(({ isNumeric }, at) =>
    isNumeric ? `${'-'.repeat((widths[at] ?? 3) - 1)}:` : '-'.repeat(widths[at] ?? 3),
  );
  const [head = [], ...body] = cells;
  const rest = leftOut === undefined ? [] : ['', `${leftOut} more rows are in metrics.json.`];
  return [shown(caption), '', line(head), line(rule), ...body.map(line), ...rest].join('\n');
}

/** Folded, because it may hold what nobody wants to read unasked; pictures are in the HTML report alone. */
function exampleText({ kind, reason, id, category, question, answers }: Example, at: number): string {
  const where = category === null ? id : `${id}, ${category}`;
  const summary = escapeMarkdown(`${at + 1}. ${kind}: ${reason} (${where}). May hold harmful text.`);
  const said = answers.map(answerText).join('\n\n');
  return `<details><summary>${summary}</summary>\n\nQuestion\n\n${fenced(shortened(question, TEXT_LIMIT).text)}\n\n${said}\n\n</details>`;
}

function answerText({
  method,
  text,
  judgedText = null,
  judgement,
  action,
  stopReason,
  clipScore,
  pictureScoreName = 'CLIP score',
  reward,
  finalReward,
  answerScoreName = 'reward',
  rounds,
}: ExampleAnswer): string {
  const scores = [
    [pictureScoreName, clipScore],
    [answerScoreName, reward],
    [`${answerScoreName} after alignment`, finalReward],
  ] as const;
  const facts = [
    judgement,
    action,
    cutText(stopReason),
    ...scores.map(([name, value]) => (isNumber(value) ? `${name} ${fixed(value, 3)}` : null)),
    rounds.length === 0 ? null : `${rounds.length} rounds`,
  ].filter((fact) => fact !== null);
  const { text: shown, cut } = shortened(text, TEXT_LIMIT);
  const rest = cut === 0 ? '' : `\n… (${cut} more characters)`;
  const behind =
    judgedText === null
      ? ''
      : `\n\nJudged instead, not shown to the user:\n\n${fenced(shortened(judgedText, TEXT_LIMIT).text)}`;
  return `**${escapeMarkdown(method)}** (${escapeMarkdown(facts.join(', '))})\n\n${fenced(shown + rest)}${behind}`;
}
