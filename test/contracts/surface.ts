/** Every export of the package and each of its fields, found by the compiler, so that none can be forgotten. */
import ts from 'typescript';
import { type Editor, ENTRIES, root } from './consumer.js';

/** A place to hover at, and what stands there. */
export interface Place {
  /** Such as "eta-vlm LoadEtaOptions.policy". */
  readonly name: string;
  readonly position: number;
  /** Whether it is a field that may be left out. */
  readonly isOptional: boolean;
}

/** A program that uses every export of every entry, and each field of each, written as a consumer writes it. */
export function usesOfEverything(editor: Editor): Place[] {
  editor.open(ENTRIES.map((entry) => `import ${JSON.stringify(entry)};\n`).join(''));
  const { checker, file } = editor.program();
  const writer = new Uses(checker);
  for (const statement of file.statements) {
    const specifier = (statement as ts.ImportDeclaration).moduleSpecifier as ts.StringLiteral;
    const entry = checker.getSymbolAtLocation(specifier);
    if (entry === undefined) throw new Error(`${specifier.text} does not resolve.`);
    writer.entry(specifier.text, checker.getExportsOfModule(entry));
  }
  editor.open(writer.text);
  return writer.places;
}

class Uses {
  readonly places: Place[] = [];
  text = '';
  readonly #checker: ts.TypeChecker;
  #count = 0;

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  entry(specifier: string, symbols: readonly ts.Symbol[]): void {
    const space = `entry${this.#count++}`;
    this.text += `import * as ${space} from ${JSON.stringify(specifier)};\n`;
    for (const exported of symbols) {
      const symbol = unaliased(this.#checker, exported);
      const name = `${specifier} ${exported.name}`;
      const isType = (symbol.flags & ts.SymbolFlags.Value) === 0;
      this.text += isType ? `type T${this.#count++} = ${space}.` : `${space}.`;
      this.#place(name, exported.name);
      this.text += ';\n';
      if ((symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) !== 0) {
        const type = this.#checker.getDeclaredTypeOfSymbol(symbol);
        for (const one of type.isUnion() ? type.types : [type]) {
          if (!isOurs(one)) continue;
          this.text += `export const v${this.#count++}: ${space}.${exported.name} = `;
          this.#literal(name, one);
          this.text += ';\n';
        }
      }
      if ((symbol.flags & ts.SymbolFlags.Class) !== 0) this.#members(name, `${space}.${exported.name}`, symbol);
    }
  }

  /** Methods and fields of a class, its own and those of its objects. */
  #members(name: string, path: string, symbol: ts.Symbol): void {
    const object = `c${this.#count++}`;
    this.text += `declare const ${object}: ${path};\n`;
    const statics = this.#checker.getTypeOfSymbol(symbol);
    for (const [owner, type] of [
      [object, this.#checker.getDeclaredTypeOfSymbol(symbol)],
      [path, statics],
    ] as const) {
      for (const member of type.getProperties()) {
        if (!isPublic(member) || !isDeclaredHere(member) || member.name.startsWith('__@')) continue;
        this.text += `${owner}.`;
        this.#place(`${name}.${member.name}`, member.name);
        this.text += ';\n';
      }
    }
  }

  /** An object with every field; of fields without a name for their type, with theirs too. */
  #literal(name: string, type: ts.Type): void {
    this.text += '{ ';
    for (const field of type.getProperties()) {
      const of = this.#checker.getNonNullableType(this.#checker.getTypeOfSymbol(field));
      if ((of.flags & ts.TypeFlags.Never) !== 0 || field.name.startsWith('__@')) continue; // a field that is not to be there
      this.#place(`${name}.${field.name}`, field.name, (field.flags & ts.SymbolFlags.Optional) !== 0);
      this.text += ': ';
      if (isNameless(of)) this.#literal(`${name}.${field.name}`, of);
      else this.text += standIn(of, this.#checker);
      this.text += ', ';
    }
    this.text += '}';
  }

  #place(name: string, word: string, isOptional = false): void {
    this.places.push({ name, position: this.text.length, isOptional });
    this.text += word;
  }
}

/** Something to stand for a field, told apart from `undefined`. */
function standIn(type: ts.Type, checker: ts.TypeChecker): string {
  const [one = type] = type.isUnion() ? type.types : [type];
  if (one.isStringLiteral()) return JSON.stringify(one.value);
  if ((one.flags & ts.TypeFlags.StringLike) !== 0) return "''";
  if ((one.flags & ts.TypeFlags.NumberLike) !== 0) return '0';
  return checker.isArrayType(one) ? '[]' : 'null!';
}

export function unaliased(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
}

/** Whether fields of a type stand in a declaration of this package. */
export function isOurs(type: ts.Type): boolean {
  const symbols = type.symbol === undefined ? type.getProperties() : [type.symbol, ...type.getProperties()];
  return (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0 && symbols.some(isDeclaredHere);
}

/** Of an error, `message` and others are not. */
export function isDeclaredHere({ declarations = [] }: ts.Symbol): boolean {
  return declarations.some((one) => one.getSourceFile().fileName.startsWith(`${root}/dist/`));
}

/** An object that is written where it is used: its fields have no other place to be looked at. */
function isNameless(type: ts.Type): boolean {
  const isFunction = type.getCallSignatures().length > 0;
  return !isFunction && isOurs(type) && type.aliasSymbol === undefined && (type.symbol?.name ?? '__type') === '__type';
}

export function isPublic({ declarations = [], name }: ts.Symbol): boolean {
  return (
    !name.startsWith('__#') &&
    !name.startsWith('#') &&
    declarations.every(
      (one) => (ts.getCombinedModifierFlags(one) & ts.ModifierFlags.NonPublicAccessibilityModifier) === 0,
    )
  );
}
