/** The syntax tree of a template, and which of its expressions are printed. */
import { templateTokens } from './segments.js';
import { TemplateError } from './template-error.js';
import { parse } from './values.js';

/** A node, as far as it is read here. */
export interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}
export const node = (value: unknown): Node => value as Node;
export const nodes = (value: unknown): readonly Node[] => (value ?? []) as readonly Node[];

/** What writes nothing of its own, or text: all else in a block is an expression, whose value is printed. */
const STATEMENTS: ReadonlySet<string> = new Set([
  ...['Set', 'If', 'For', 'Macro', 'CallStatement', 'FilterStatement', 'Break', 'Continue', 'Program'],
]);
/** Fields that hold blocks of statements. */
const BLOCKS = ['body', 'alternate', 'defaultBlock'];

/** @throws TemplateError for a text that is no template, or uses what is not known here */
export function treeOf(source: string): unknown {
  try {
    const tree = parse(templateTokens(source));
    markPrinted(tree);
    return tree;
  } catch (error) {
    if (error instanceof TemplateError) throw error;
    // The parser reads on where its tokens end, and calls itself for each bracket and each block.
    const isCut = error instanceof TypeError;
    const reason = error instanceof RangeError ? 'it is nested too deep' : (error as Error).message;
    throw new TemplateError(isCut ? 'it ends before what it opens is closed' : reason, { cause: error });
  }
}

/** Marks each expression that is printed, anywhere in a tree. */
function markPrinted(tree: unknown): void {
  if (Array.isArray(tree)) for (const one of tree) markPrinted(one);
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return;
  if (tree instanceof Map) return;
  const fields = tree as Record<string, unknown>;
  for (const [name, field] of Object.entries(fields)) {
    markPrinted(field);
    if (BLOCKS.includes(name) && Array.isArray(field))
      fields[name] = field.map((one) => (STATEMENTS.has(node(one).type) ? one : printed(one)));
  }
}

/** A node like those of the parser, which look for what they know in all below them. */
function printed(value: unknown): unknown {
  return Object.assign(Object.create(Object.getPrototypeOf(value)), { type: 'Printed', value });
}

/** What a template calls it, for a message. */
export function nameOf(expression: Node): string {
  if (expression.type === 'Identifier') return `'${String(expression['value'])}'`;
  if (expression.type === 'MemberExpression') return `the field ${nameOf(node(expression['property']))}`;
  return 'a value';
}
