/** Whether the compiler would take a file with a fault in it: one that it refuses needs no test. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export class Compiler {
  readonly #service: ts.LanguageService;
  readonly #root: string;
  readonly #changed = new Map<string, { readonly text: string; readonly version: number }>();
  #version = 0;

  /** @param root folder of a tsconfig.json */
  constructor(root: string) {
    this.#root = root;
    const config = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => readFileSync(path, 'utf8'));
    const { options, fileNames } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
    this.#service = ts.createLanguageService({
      getCompilationSettings: () => options,
      getScriptFileNames: () => fileNames,
      getScriptVersion: (path) => `${this.#changed.get(path)?.version ?? 0}`,
      getScriptSnapshot: (path) => {
        const text = this.#changed.get(path)?.text ?? ts.sys.readFile(path);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => root,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
      fileExists: ts.sys.fileExists,
      readFile: ts.sys.readFile,
      readDirectory: ts.sys.readDirectory,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
    });
  }

  /** What it says of the file with this text in it; nothing where it takes it. */
  refusal(file: string, text: string): string | undefined {
    const path = join(this.#root, file);
    this.#version += 1;
    this.#changed.set(path, { text, version: this.#version });
    const said = [...this.#service.getSyntacticDiagnostics(path), ...this.#service.getSemanticDiagnostics(path)].find(
      ({ category }) => category === ts.DiagnosticCategory.Error,
    );
    this.#version += 1;
    this.#changed.set(path, { text: readFileSync(path, 'utf8'), version: this.#version });
    return said === undefined ? undefined : ts.flattenDiagnosticMessageText(said.messageText, ' ');
  }
}
