/** Every small fault of these kinds in a file of TypeScript, by TypeScript's own parser. */
import ts from 'typescript';
import type { Fault } from './fault.js';

const OPERATORS: ReadonlyMap<ts.SyntaxKind, readonly string[]> = new Map([
  [ts.SyntaxKind.LessThanToken, ['<=', '>=']],
  [ts.SyntaxKind.LessThanEqualsToken, ['<', '>']],
  [ts.SyntaxKind.GreaterThanToken, ['>=', '<=']],
  [ts.SyntaxKind.GreaterThanEqualsToken, ['>', '<']],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, ['!==']],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, ['===']],
  [ts.SyntaxKind.AmpersandAmpersandToken, ['||']],
  [ts.SyntaxKind.BarBarToken, ['&&']],
  [ts.SyntaxKind.PlusToken, ['-']],
  [ts.SyntaxKind.MinusToken, ['+']],
  [ts.SyntaxKind.AsteriskToken, ['/']],
  [ts.SyntaxKind.SlashToken, ['*']],
  [ts.SyntaxKind.PlusEqualsToken, ['-=', '=']],
  [ts.SyntaxKind.MinusEqualsToken, ['+=']],
  [ts.SyntaxKind.QuestionQuestionEqualsToken, ['=']],
]);

/** Methods and functions that are easily taken for one another. */
const TWINS: Readonly<Record<string, string>> = {
  min: 'max',
  max: 'min',
  some: 'every',
  every: 'some',
  floor: 'ceil',
  ceil: 'floor',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  allSettled: 'all',
};

/** Methods to which the order of what they are given makes no difference. */
const IN_ANY_ORDER = ['min', 'max'];

export function typescriptFaults(file: string, text: string): Fault[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const faults: Fault[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (isMessage(node)) return;
    for (const { kind, at, after, site = node } of faultsAt(node)) {
      const reached = { start: site.getStart(), end: site.getEnd(), isStatement: ts.isStatement(site) };
      faults.push({ file, kind, start: at.getStart(), end: at.getEnd(), after, site: reached });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return faults;
}

/** What is thrown is words; the words of errors are held by the tests of messages. */
function isMessage(node: ts.Node): boolean {
  return ts.isNewExpression(node) && /Error$/.test(node.expression.getText());
}

function isName(node: ts.NumericLiteral): boolean {
  return ts.isPropertyAssignment(node.parent) && node.parent.name === node;
}

interface Planting {
  readonly kind: string;
  /** What is replaced. */
  readonly at: ts.Node;
  readonly after: string;
  readonly site?: ts.Node;
}

function* faultsAt(node: ts.Node): Generator<Planting> {
  if (ts.isBinaryExpression(node)) yield* ofOperator(node);
  if (ts.isIfStatement(node) || ts.isConditionalExpression(node)) {
    const at = ts.isIfStatement(node) ? node.expression : node.condition;
    yield { kind: 'condition turned round', at, after: `!(${at.getText()})`, site: at };
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
    yield { kind: 'not forgotten', at: node, after: `(${node.operand.getText()})` };
  if (node.kind === ts.SyntaxKind.TrueKeyword) yield { kind: 'other truth', at: node, after: 'false' };
  if (node.kind === ts.SyntaxKind.FalseKeyword) yield { kind: 'other truth', at: node, after: 'true' };
  if (ts.isNumericLiteral(node) && !isName(node)) yield { kind: 'other number', at: node, after: otherNumber(node) };
  if (ts.isExpressionStatement(node) && !node.getText().startsWith('super('))
    yield { kind: 'statement gone', at: node, after: ';' };
  if (ts.isThrowStatement(node)) yield { kind: 'refusal gone', at: node, after: ';' };
  if (ts.isReturnStatement(node) && node.expression !== undefined) yield* ofReturn(node.expression);
  if (ts.isCallExpression(node)) yield* ofCall(node);
}

function* ofOperator(node: ts.BinaryExpression): Generator<Planting> {
  const { operatorToken: token, left, right } = node;
  const isText = token.kind === ts.SyntaxKind.PlusToken && /['"`]/.test(left.getText() + right.getText());
  if (isText) return;
  for (const after of OPERATORS.get(token.kind) ?? [])
    yield { kind: `${token.getText()} → ${after}`, at: token, after, site: node };
  if (token.kind === ts.SyntaxKind.QuestionQuestionToken)
    yield { kind: '?? always', at: node, after: `(${right.getText()})` };
}

function otherNumber(node: ts.NumericLiteral): string {
  const value = Number(node.text);
  return value >= 0 && value <= 4 && Number.isInteger(value) ? `${value + 1}` : `(${node.getText()} * 4)`;
}

function* ofReturn(value: ts.Expression): Generator<Planting> {
  const declared = returnType(value);
  const after = declared === undefined ? undefined : constantOf(declared, value.getText());
  if (after !== undefined && after !== value.getText()) yield { kind: 'returned constant', at: value, after };
}

function returnType(node: ts.Node): string | undefined {
  let above = node.parent;
  while (above !== undefined && !ts.isFunctionLike(above)) above = above.parent;
  return above?.type?.getText().replace(/^Promise<(.*)>$/, '$1');
}

function constantOf(type: string, text: string): string | undefined {
  if (type === 'boolean') return text === 'true' ? 'false' : 'true';
  if (type === 'number') return `(${text}) + 1`;
  if (type === 'string') return "''";
  if (/\| null$/.test(type)) return 'null';
  if (/\| undefined$/.test(type)) return 'undefined';
  if (/\[\]$/.test(type)) return '[]';
  return undefined;
}

function* ofCall(node: ts.CallExpression): Generator<Planting> {
  const { expression, arguments: given } = node;
  const name = ts.isPropertyAccessExpression(expression) ? expression.name : undefined;
  const twin = name === undefined ? undefined : TWINS[name.text];
  if (name !== undefined && twin !== undefined && Object.hasOwn(TWINS, name.text))
    yield { kind: `${name.text} → ${twin}`, at: name, after: twin, site: node };
  const [first, second] = given;
  if (name !== undefined && IN_ANY_ORDER.includes(name.text)) return;
  if (first === undefined || second === undefined || ts.isSpreadElement(first) || ts.isSpreadElement(second)) return;
  if (first.getText() === second.getText()) return;
  const others = given.slice(2).map((one) => `, ${one.getText()}`);
  const after = `${expression.getText()}(${second.getText()}, ${first.getText()}${others.join('')})`;
  yield { kind: 'arguments swapped', at: node, after };
}
