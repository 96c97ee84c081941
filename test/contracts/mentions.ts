/** Types that exports speak of without being exports themselves: nobody could write down what he gets or gives. */
import ts from 'typescript';
import { type Editor, ENTRIES } from './consumer.js';
import { isDeclaredHere, isOurs, isPublic, unaliased } from './surface.js';

/** Names of types that exports speak of and that no entry exports. */
export function typesWithoutName(editor: Editor): string[] {
  editor.open(ENTRIES.map((entry) => `import ${JSON.stringify(entry)};\n`).join(''));
  const { checker, file } = editor.program();
  const exported = file.statements
    .map((statement) => checker.getSymbolAtLocation((statement as ts.ImportDeclaration).moduleSpecifier))
    .flatMap((entry) => (entry === undefined ? [] : checker.getExportsOfModule(entry)))
    .map((symbol) => unaliased(checker, symbol));
  return [...new Mentions(checker, exported).unnamed].sort();
}

/** What has a name of its own where it is declared. */
const NAMED = ts.SymbolFlags.Interface | ts.SymbolFlags.Class | ts.SymbolFlags.TypeAlias | ts.SymbolFlags.Enum;

/** What types speak of, through fields, methods, elements and promises. */
class Mentions {
  readonly unnamed = new Set<string>();
  readonly #checker: ts.TypeChecker;
  readonly #named: ReadonlySet<ts.Symbol>;
  readonly #seen = new Set<ts.Type>();

  constructor(checker: ts.TypeChecker, exported: readonly ts.Symbol[]) {
    this.#checker = checker;
    this.#named = new Set(exported);
    for (const symbol of exported) {
      if ((symbol.flags & ts.SymbolFlags.Type) !== 0) this.#follow(checker.getDeclaredTypeOfSymbol(symbol));
      if ((symbol.flags & ts.SymbolFlags.Class) !== 0)
        for (const one of checker.getTypeOfSymbol(symbol).getProperties()) {
          if (one.name !== 'prototype' && this.#isForCallers(one)) this.#follow(checker.getTypeOfSymbol(one));
        }
      else if ((symbol.flags & ts.SymbolFlags.Value) !== 0) this.#follow(checker.getTypeOfSymbol(symbol));
    }
  }

  #follow(type: ts.Type): void {
    if (this.#seen.has(type)) return;
    this.#seen.add(type);
    for (const one of type.aliasTypeArguments ?? []) this.#follow(one);
    if (type.isUnionOrIntersection()) {
      for (const one of type.types) this.#follow(one);
      return;
    }
    if ((type.flags & ts.TypeFlags.Object) === 0) return;
    for (const one of this.#checker.getTypeArguments(type as ts.TypeReference)) this.#follow(one);
    for (const signature of type.getCallSignatures()) {
      for (const parameter of signature.parameters) this.#follow(this.#checker.getTypeOfSymbol(parameter));
      this.#follow(signature.getReturnType());
    }
    if (!isOurs(type)) return;
    const symbol = type.aliasSymbol ?? type.symbol;
    const isNamed = symbol === undefined || (symbol.flags & NAMED) === 0 || this.#named.has(symbol);
    if (!isNamed && isDeclaredHere(symbol)) this.unnamed.add(symbol.name);
    for (const field of type.getProperties()) {
      if (this.#isForCallers(field)) this.#follow(this.#checker.getTypeOfSymbol(field));
    }
  }

  #isForCallers(field: ts.Symbol): boolean {
    const text = ts.displayPartsToString(field.getDocumentationComment(this.#checker));
    return isPublic(field) && !text.startsWith('Not for callers');
  }
}
