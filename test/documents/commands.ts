/** The commands that the pages tell their readers to type. */
import { prose, read } from './pages.js';

export interface Told {
  readonly page: string;
  /** Without prompt, comment and what it is piped into. */
  readonly line: string;
  readonly words: readonly string[];
}

const FENCED = /^([ \t]*)```(\w*)[^\n]*\n([\s\S]*?)^\1```[ \t]*$/gm;
const BEGINS = /^(?:\$ )?((?:\w+=\S+ )*(?:npx eta-vlm|eta-vlm|npm run|node) .*)$/;

/** Lines of the fenced blocks of a page; those of programs (`ts`, `json`, …) and of what is printed (`text`) are none. */
export function commandsOf(page: string, text = read(page)): Told[] {
  return [...text.matchAll(FENCED)]
    .filter(([, , language = '']) => language === '' || language === 'sh')
    .flatMap(([, , , body = '']) => body.replace(/\\\n\s*/g, '').split('\n'))
    .flatMap((line) => {
      const [, command] = BEGINS.exec(line.trim()) ?? [];
      return command === undefined ? [] : [told(page, command)];
    });
}

/** `npm run …` and `node --import tsx …` within sentences and tables. */
export function saidCommandsOf(page: string, text = read(page)): Told[] {
  return [...prose(text).matchAll(/`((?:npm run|node --)[^`\n]*)`/g)].map(([, line = '']) => told(page, line));
}

function told(page: string, command: string): Told {
  const line = command.replace(/\s+#.*$/, '').replace(/ (?:[|>]|&&) .*$/, '');
  return { page, line, words: shellWords(line) };
}

/** As a shell parts them, without what it would put in. */
export function shellWords(line: string): string[] {
  return [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replace(/["']/g, ''));
}

/** The words behind `eta-vlm`, or null where the line starts another program. */
export function wordsOfOurs({ words }: Told): readonly string[] | null {
  const at = words.findIndex((word) => !/^(?:\w+=.*|npx)$/.test(word));
  return words[at] === 'eta-vlm' ? words.slice(at + 1) : null;
}
