/** The words of a tag, as the parser of @huggingface/jinja takes them. */
import { isSpace } from './letters.js';
import { TemplateError } from './template-error.js';

export interface Token {
  /** As the parser names it, such as "Identifier". */
  readonly type: string;
  readonly value: string;
}

const COMPARISON = 'ComparisonBinaryOperator';

/** Longer ones first. */
const OPERATORS: readonly (readonly [sign: string, type: string])[] = [
  ...['<=', '>=', '==', '!=', '<', '>'].map((sign) => [sign, COMPARISON] as const),
  ['**', 'ExponentiationBinaryOperator'],
  ...['//', '*', '/', '%'].map((sign) => [sign, 'MultiplicativeBinaryOperator'] as const),
  ...['+', '-', '~'].map((sign) => [sign, 'AdditiveBinaryOperator'] as const),
  ['(', 'OpenParen'],
  [')', 'CloseParen'],
  ['[', 'OpenSquareBracket'],
  [']', 'CloseSquareBracket'],
  ['{', 'OpenCurlyBracket'],
  ['}', 'CloseCurlyBracket'],
  [',', 'Comma'],
  ['.', 'Dot'],
  [':', 'Colon'],
  ['|', 'Pipe'],
  ['=', 'Equals'],
];
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

const WORD = /\w+/y;
const NUMBER = /(?:0|[1-9]\d*)(?:\.\d+)?(?!\w)/y;
const DIGITS = /\d+(?!\w)/y;

/**
 * What transformers marks an assistant's words with changes nothing but what a `set` within it reaches: so does a filter
 * that leaves a text as it is.
 */
const MARKS: Readonly<Record<string, readonly string[]>> = {
  generation: ['filter', 'string'],
  endgeneration: ['endfilter'],
};

/**
 * @param from behind the tag's begin and its sign
 * @returns with the place of the tag's end mark, its sign included
 * @throws TemplateError for a tag without an end, and for what is not known here
 */
export function tagTokens(
  source: string,
  from: number,
  kind: 'expression' | 'statement',
): { tokens: Token[]; end: number } {
  const [open, close] = kind === 'expression' ? ['{{', '}}'] : ['{%', '%}'];
  const name = kind === 'expression' ? 'Expression' : 'Statement';
  const tokens: Token[] = [];
  const brackets: string[] = [];
  const chains = new Chains();
  let at = from;
  for (;;) {
    while (isSpace(source.charAt(at))) at++;
    if (at >= source.length) throw new TemplateError(`a tag '${open}' without its end, '${close}'`);
    if (brackets.length === 0 && isEnd(source, at, close)) break;
    const { token, end } = tokenAt(source, at, tokens.at(-1)?.type === 'Dot');
    if (token.value in CLOSING && token.type.startsWith('Open')) brackets.push(CLOSING[token.value] ?? '');
    else if (token.type.startsWith('Close') && brackets.pop() !== token.value)
      throw new TemplateError(`'${token.value}' without what it closes`);
    chains.see(token, tokens.at(-1));
    tokens.push(token);
    at = end;
  }
  const [only] = tokens;
  const mark = kind === 'statement' && tokens.length === 1 && only !== undefined ? MARKS[only.value] : undefined;
  const inner = mark?.map((value) => ({ type: 'Identifier', value })) ?? tokens;
  return { tokens: [{ type: `Open${name}`, value: open }, ...inner, { type: `Close${name}`, value: close }], end: at };
}

function isEnd(source: string, at: number, close: string): boolean {
  const signs = close === '%}' ? '+-' : '-';
  return source.startsWith(close, at) || (signs.includes(source.charAt(at)) && source.startsWith(close, at + 1));
}

function tokenAt(source: string, at: number, isBehindDot: boolean): { token: Token; end: number } {
  const sign = source.charAt(at);
  if (sign === "'" || sign === '"') return textAt(source, at);
  if (/\d/.test(sign)) {
    const value = matched(isBehindDot ? DIGITS : NUMBER, source, at);
    if (value === null || (!value.includes('.') && !Number.isSafeInteger(Number(value))))
      throw new TemplateError(`the number '${matched(WORD, source, at)}' is not known here`);
    return { token: { type: 'NumericLiteral', value }, end: at + value.length };
  }
  const value = matched(WORD, source, at);
  if (value !== null) return { token: { type: 'Identifier', value }, end: at + value.length };
  const operator = OPERATORS.find(([sign]) => source.startsWith(sign, at));
  if (operator === undefined)
    throw new TemplateError(`'${String.fromCodePoint(source.codePointAt(at) ?? 0)}' within a tag`);
  return { token: { type: operator[1], value: operator[0] }, end: at + operator[0].length };
}

function matched(pattern: RegExp, source: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0] ?? null;
}

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g;
const ESCAPED: Readonly<Record<string, string>> = {
  ...{ n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' },
  ...{ '\\': '\\', "'": "'", '"': '"', '\n': '' },
};

/** A text within quotes, with the escapes of Python. */
function textAt(source: string, from: number): { token: Token; end: number } {
  const quote = source.charAt(from);
  let end = from + 1;
  while (end < source.length && source.charAt(end) !== quote) end += source.charAt(end) === '\\' ? 2 : 1;
  if (end >= source.length) throw new TemplateError(`a text without its end, ${quote}`);
  const value = source.slice(from + 1, end).replace(ESCAPE, (whole, x, u, long, octal, other: string | undefined) => {
    const hex: string | undefined = x ?? u ?? long;
    const code = hex !== undefined ? Number.parseInt(hex, 16) : Number.parseInt(octal ?? '', 8);
    if (code <= 0x10ffff) return String.fromCodePoint(code);
    if (other === undefined || 'xuUN'.includes(other))
      throw new TemplateError(`the escape '${whole}' is not known here`);
    return ESCAPED[other] ?? whole;
  });
  return { token: { type: 'StringLiteral', value }, end: end + 1 };
}

/** Words and signs behind which an expression begins anew. */
const ANEW: ReadonlySet<string> = new Set(['and', 'or', 'if', 'elif', 'else', ',', ':', '=']);

/** Comparisons one behind the other, as in `3 > 2 > 1`, which Python chains and the parser does not. */
class Chains {
  /** By bracket: whether a comparison stands before. */
  readonly #compared = [false];

  /** @throws TemplateError for a comparison of a comparison */
  see(token: Token, previous: Token | undefined): void {
    const last = this.#compared.length - 1;
    if (token.type.startsWith('Open')) this.#compared.push(false);
    else if (token.type.startsWith('Close')) this.#compared.pop();
    else if (token.type !== 'StringLiteral' && ANEW.has(token.value)) this.#compared[last] = false;
    else if (
      token.type === COMPARISON ||
      (token.type === 'Identifier' && token.value === 'in' && previous?.type !== 'Dot')
    ) {
      if (this.#compared[last])
        throw new TemplateError(`a comparison of a comparison ('${token.value}') is not known here: put brackets`);
      this.#compared[last] = true;
    }
  }
}
