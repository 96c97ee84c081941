/** The Markdown of this repository, as its readers see it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Folders that hold no page of ours. */
const FOREIGN = ['node_modules', 'build', 'dist', '.git', '.venv'];

export const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Paths of all pages, relative to the root. */
export function pages(folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !FOREIGN.includes(name))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return pages(path);
      return path.endsWith('.md') ? [path] : [];
    });
}

/** The text without fenced code, where "#" begins a comment and brackets are no links. */
export const prose = (text: string) => text.replace(/^([ \t]*)(```|~~~)[^\n]*\n[\s\S]*?^\1\2[ \t]*$/gm, '');

/** Targets of the links and pictures of a page. */
export function linksOf(text: string): string[] {
  const said = prose(text).replace(/`[^`\n]*`/g, '');
  const links = [...said.matchAll(/\]\(([^)\s]+)\)/g), ...said.matchAll(/<(?:a href|img src)="([^"]+)"/g)];
  return links.map(([, target = '']) => target);
}

/** What a heading is called in links, as GitHub makes it: letters and digits of any script, "-" for each space. */
export function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>();
  return [...prose(text).matchAll(/^#{1,6} +(.+?)[ \t]*$/gm)].map(([, heading = '']) => {
    const shown = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const anchor = shown
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

/** The first column of every table row whose first cell is one `name` in backticks, with the whole row. */
export function rowsOf(text: string): { readonly name: string; readonly row: string }[] {
  return [...prose(text).matchAll(/^\| `([^`]+)` \|.*$/gm)].map(([row, name = '']) => ({ name, row }));
}

export const exists = (path: string) => existsSync(join(root, path));
