/** Small faults of these kinds in a file of C++, line by line: what does not compile is told by the compiler. */
import type { Fault } from './fault.js';

/** In the house's form: operators stand between blanks, angle brackets of templates do not. */
const SWAPS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/ < /g, [' <= ', ' >= ']],
  [/ <= /g, [' < ']],
  [/ > /g, [' >= ', ' <= ']],
  [/ >= /g, [' > ']],
  [/ == /g, [' != ']],
  [/ != /g, [' == ']],
  [/ && /g, [' || ']],
  [/ \|\| /g, [' && ']],
  [/ \+ /g, [' - ']],
  [/ - /g, [' + ']],
  [/ \+= /g, [' -= ', ' = ']],
  [/ -= /g, [' += ']],
  [/ \/ /g, [' * ']],
  [/\btrue\b/g, ['false']],
  [/\bfalse\b/g, ['true']],
  [/\bstd::min\b/g, ['std::max']],
  [/\bstd::max\b/g, ['std::min']],
  [/\bany_of\b/g, ['all_of']],
  [/(?<![\w.])0(?![\w.])/g, ['1']],
  [/(?<![\w.])1(?![\w.])/g, ['2']],
  [/!(?=[\w(])/g, ['']],
];

/** A statement on a line of its own: a call, or an assignment to what was declared elsewhere. */
const STATEMENT =
  /^( +)(?!return\b|throw\b|const\b|auto\b|case\b|using\b|delete\b|break\b|continue\b)[\w:.[\]>()*-]+( [-+|&]?= .*|\(.*\)|\+\+|--);$/;
const CONDITION = /^( +(?:\} else )?if \()(.*)(\)(?: \{| [^ ].*;))$/;

export function nativeFaults(file: string, text: string): Fault[] {
  const code = withoutWords(text);
  const faults: Fault[] = [];
  let start = 0;
  for (const line of code.split('\n')) {
    const add = (kind: string, from: number, to: number, after: string) =>
      faults.push({ file, kind, start: start + from, end: start + to, after });
    if (!/^\s*#/.test(line) && !/\bthrow\b|^\S|static_assert/.test(line)) {
      for (const [pattern, others] of SWAPS) {
        for (const found of line.matchAll(pattern))
          for (const after of others)
            add(`${found[0].trim()} → ${after.trim()}`, found.index, found.index + found[0].length, after);
      }
      const statement = STATEMENT.exec(line);
      if (statement !== null) add('statement gone', statement[1]?.length ?? 0, line.length, ';');
      const condition = CONDITION.exec(line);
      if (condition !== null && isBalanced(condition[2] ?? '')) {
        const from = condition[1]?.length ?? 0;
        const length = condition[2]?.length ?? 0;
        add('condition turned round', from, from + length, `!(${text.slice(start + from, start + from + length)})`);
      }
    }
    start += line.length + 1;
  }
  return faults;
}

/** The same text with blanks where comments and quoted words were. */
function withoutWords(text: string): string {
  return text.replace(/\/\/.*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)'/g, (words) =>
    words.replace(/[^\n]/g, words.startsWith('/') ? ' ' : '"'),
  );
}

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === '(') depth++;
    if (character === ')' && --depth < 0) return false;
  }
  return depth === 0 && !text.includes(';');
}
