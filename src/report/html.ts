/** A report as one HTML file that needs no network, no script and no other file. */
import { Turns } from '../turns.js';
import { exampleHtml } from './example-html.js';
import { reportSections } from './layout.js';
import type { ReportData } from './report-data.js';
import type { Block, FactGroup, Section } from './sections.js';
import { STYLE } from './style.js';
import { inline, plainLine, tableHtml } from './table-html.js';
import { escapeHtml, shortened } from './texts.js';

/** Characters of a command at most. */
const CODE_LIMIT = 4000;

/** Nothing may be fetched, and nothing may run. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/**
 * The report as a page. Every text is escaped, whatever it holds.
 *
 * @param sections made by `reportSections` of the same data, where they are at hand
 */
export async function reportHtml(data: ReportData, sections?: readonly Section[]): Promise<string> {
  const pieces = htmlPieces(data, sections ?? (await reportSections(data)));
  return (await new Turns().map(pieces, (piece) => piece)).join('');
}

/** The page piece by piece, each made when it is asked for. */
export function* htmlPieces(data: ReportData, parts: readonly Section[]): Generator<string, void> {
  const links = parts.map(({ id, title }) => `<li><a href="#${id}">${plainLine(title)}</a></li>`).join('');
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${plainLine(data.title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<div class="page">
<header>
<h1>${inline(data.title)}</h1>
<p class="subject">${inline(data.subject)}</p>
<nav aria-label="Sections"><ul>${links}</ul></nav>
</header>
<main>
`;
  for (const { id, title, blocks } of parts) {
    yield `<section id="${id}" aria-labelledby="${id}-title">\n<h2 id="${id}-title">${inline(title)}</h2>\n`;
    for (const block of blocks) {
      if (block.kind !== 'examples') yield `${blockHtml(block)}\n`;
      else for (const [at, one] of block.examples.entries()) yield `${exampleHtml(one, at + 1, id)}\n`;
    }
    yield '</section>\n';
  }
  yield `</main>
<footer><p>Made by eta-vlm ${plainLine(data.versions['eta-vlm'] ?? '')}. All figures are in <code>metrics.json</code> beside this file.</p></footer>
</div>
</body>
</html>
`;
}

function blockHtml(block: Exclude<Block, { kind: 'examples' }>): string {
  switch (block.kind) {
    case 'text':
      return `<p>${inline(block.text)}</p>`;
    case 'list':
      return `<ul>${block.items.map((item) => `<li>${inline(item)}</li>`).join('')}</ul>`;
    case 'code':
      return `<pre><code>${escapeHtml(shortened(block.text, CODE_LIMIT).text)}</code></pre>`;
    case 'facts':
      return `<div class="facts">${block.groups.map(factsHtml).join('')}</div>`;
    case 'table':
      return tableHtml(block.table);
    case 'plot': {
      const { plot, caption } = block;
      const title = `<h3>${inline(plot.title)}</h3>`;
      const drawings = `<div class="wide">${plot.wide}</div><div class="narrow">${plot.narrow}</div>`;
      return `${title}<figure>${drawings}<figcaption>${inline(caption)}</figcaption></figure>`;
    }
  }
}

function factsHtml({ title, facts }: FactGroup): string {
  const rows = facts.map(([name, value]) => `<div><dt>${inline(name)}</dt><dd>${inline(value)}</dd></div>`).join('');
  return `<div><h3>${inline(title)}</h3><dl>${rows}</dl></div>`;
}
