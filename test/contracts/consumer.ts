/** A consumer of the built package in an editor: what it is told when it hovers, completes, or writes something wrong. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** What the package exports, as consumers name it. */
export const ENTRIES = ['eta-vlm', 'eta-vlm/engine', 'eta-vlm/batch', 'eta-vlm/server'] as const;

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  strict: true,
  // The strictest that a consumer may have; ours is off.
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  declaration: true,
};

/** A mistake that the compiler finds, and where. */
export interface Mistake {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** An editor with one file open, in the package's own folder, so that its name leads to its `exports`. */
export class Editor {
  readonly #path = join(root, 'consumer.ts');
  readonly #service: ts.LanguageService;
  #text = '';
  #version = 0;

  constructor(options: ts.CompilerOptions = {}) {
    if (!existsSync(join(root, 'dist', 'index.d.ts'))) throw new Error('Expected a built package: run npm run build.');
    this.#service = ts.createLanguageService({
      getCompilationSettings: () => ({ ...OPTIONS, ...options }),
      getScriptFileNames: () => [this.#path],
      getScriptVersion: (path) => (path === this.#path ? String(this.#version) : '0'),
      getScriptSnapshot: (path) => {
        const text = path === this.#path ? this.#text : ts.sys.readFile(path);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => root,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
      fileExists: (path) => path === this.#path || ts.sys.fileExists(path),
      readFile: ts.sys.readFile,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
      realpath: ts.sys.realpath,
    });
  }

  /** Puts this text in the place of what was open. */
  open(text: string): void {
    this.#text = text;
    this.#version++;
  }

  /** What stands behind the text that is open. */
  program(): { readonly checker: ts.TypeChecker; readonly file: ts.SourceFile } {
    const program = this.#service.getProgram();
    const file = program?.getSourceFile(this.#path);
    if (program === undefined || file === undefined) throw new Error('The file does not open.');
    return { checker: program.getTypeChecker(), file };
  }

  /** The text shown beside what stands at a place; '' where nothing is written about it. */
  hover(position: number): string {
    const info = this.#service.getQuickInfoAtPosition(this.#path, position);
    const tags = (info?.tags ?? []).map(({ name, text }) => `@${name} ${ts.displayPartsToString(text)}`);
    return [ts.displayPartsToString(info?.documentation), ...tags].filter((part) => part !== '').join('\n');
  }

  /** What is offered at a place. */
  completions(position: number): string[] {
    return (this.#service.getCompletionsAtPosition(this.#path, position, undefined)?.entries ?? []).map(
      ({ name }) => name,
    );
  }

  /** What the compiler prints for those who import the file. */
  declarations(): string {
    return this.#service.getEmitOutput(this.#path, true).outputFiles[0]?.text ?? '';
  }

  mistakes(): Mistake[] {
    const found = [
      ...this.#service.getSyntacticDiagnostics(this.#path),
      ...this.#service.getSemanticDiagnostics(this.#path),
    ];
    return found.map(({ file, start = 0, messageText }) => ({
      line: (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1,
      message: ts.flattenDiagnosticMessageText(messageText, '\n'),
    }));
  }

  close(): void {
    this.#service.dispose();
  }
}
