/** A typed line taken apart as a shell would, because terminals write a dragged file as one: quoted, escaped, or as a URL. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Backslashes part the names of a path there, and escape nothing. */
const isWindows = process.platform === 'win32';
const QUOTED = isWindows ? /"[^"]*"/ : /'[^']*'|"(?:\\.|[^"\\])*"|\\./s;
const BARE = isWindows ? /[^\s"]/ : /[^\s'"\\]/;
const WORD = new RegExp(`(?:${QUOTED.source}|${BARE.source})+(?=\\s|$)`, 'suy');
/** What a terminal writes of a dragged file: a URL, or a path from the root, the home or here. */
const PATH = isWindows ? /^(?:file:\/\/|[a-z]:[\\/]|\\\\|~?[\\/]|\.\.?[\\/])/i : /^(?:file:\/\/|~?\/|\.\.?\/)/i;

/** What is longer is a text, and no paths: taking it apart would hold the process. */
const MOST_CHARACTERS = 2 ** 15;

/** The first word, without its quotes, and what stands behind it; null where a quote is not closed, or nothing is left. */
function firstWord(line: string): { readonly word: string; readonly rest: string } | null {
  const text = line.trimStart();
  WORD.lastIndex = 0;
  const raw = WORD.exec(text)?.[0];
  return raw === undefined ? null : { word: bare(raw), rest: text.slice(raw.length).trimStart() };
}

/** All words; null where a quote is not closed, or for a text that is no list of paths by its length. */
export function wordsOf(line: string): string[] | null {
  if (line.length > MOST_CHARACTERS) return null;
  const words: string[] = [];
  for (let rest = line.trim(); rest !== ''; ) {
    const first = firstWord(rest);
    if (first === null) return null;
    words.push(first.word);
    rest = first.rest;
  }
  return words;
}

/** Paths that a line begins with, and what is asked behind them. */
export function leadingPaths(line: string): { readonly paths: readonly string[]; readonly question: string } {
  const paths: string[] = [];
  let question = line.trim();
  if (question.length > MOST_CHARACTERS) return { paths, question };
  for (let first = firstWord(question); first !== null && PATH.test(first.word); first = firstWord(question)) {
    paths.push(first.word);
    question = first.rest;
  }
  return { paths, question };
}

/** "~/a.png" as the shell of whoever typed it would have it. */
export function atHome(path: string): string {
  return /^~[\\/]/.test(path) ? join(homedir(), path.slice(2)) : path;
}

/** A name that stands for itself in a line. */
export function escaped(name: string): string {
  if (isWindows) return /\s/.test(name) ? `"${name}"` : name;
  return name.replace(/[\s'"\\]/g, '\\$&');
}

function bare(raw: string): string {
  const pieces = new RegExp(`(${QUOTED.source})`, 'gsu');
  return raw.replace(pieces, (piece) => {
    if (isWindows || piece.startsWith("'")) return piece.slice(1, -1);
    if (piece.startsWith('"')) return piece.slice(1, -1).replace(/\\(["\\$`])/g, '$1');
    return piece.slice(1);
  });
}
