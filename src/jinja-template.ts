/** Chat templates as Python's Jinja renders them. */

import { Template } from '@huggingface/jinja';
import { isRecord } from './json.js';

const STRIPS: ReadonlySet<unknown> = new Set(['strip', 'lstrip', 'rstrip']);
/** A name that no template has. */
const STRIP = 'eta_strip';

/**
 * A template whose `text.lstrip('\n')` strips line ends alone, as in Python: @huggingface/jinja 0.5 takes the argument for
 * nothing and strips all white space, so that an answer that begins with a space would lose it before Qwen3's judge.
 */
export class JinjaTemplate {
  readonly #template: Template;

  /** @throws whatever the parser throws for a text that is no template */
  constructor(source: string) {
    this.#template = new Template(source);
    rewriteStrips(this.#template.parsed);
  }

  /** @throws what the template raises */
  render(variables: Readonly<Record<string, unknown>>): string {
    return this.#template.render({ ...variables, [STRIP]: strip });
  }
}

/** Turns every `object.strip(characters)` of a syntax tree into a call of {@link strip}. */
function rewriteStrips(node: unknown): void {
  if (Array.isArray(node)) for (const one of node) rewriteStrips(one);
  if (!isRecord(node)) return;
  for (const child of Object.values(node)) rewriteStrips(child);
  const { callee, args } = node;
  if (node['type'] !== 'CallExpression' || !isRecord(callee) || !Array.isArray(args) || args.length !== 1) return;
  const { object, property, computed } = callee;
  if (callee['type'] !== 'MemberExpression' || computed === true || !isRecord(property)) return;
  const name = property['value'];
  if (!STRIPS.has(name)) return;
  node['callee'] = { type: 'Identifier', value: STRIP };
  node['args'] = [object, args[0], { type: 'StringLiteral', value: name }];
}

/** Python's str.strip, lstrip or rstrip with the characters to take off. */
function strip(text: string, characters: string, side: string): string {
  const taken = new Set(characters);
  let start = 0;
  let end = text.length;
  if (side !== 'rstrip') {
    for (const letter of text) {
      if (!taken.has(letter)) break;
      start += letter.length;
    }
  }
  while (side !== 'lstrip' && end > start) {
    const pair = text.slice(Math.max(start, end - 2), end);
    const letter = (pair.codePointAt(0) ?? 0) > 0xffff ? pair : pair.slice(-1);
    if (!taken.has(letter)) break;
    end -= letter.length;
  }
  return text.slice(start, end);
}
