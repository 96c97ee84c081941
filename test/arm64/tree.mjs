/** The checkout as JavaScript: esbuild, which tsx compiles with, is here for this machine's processor only. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript-5';
import { PACKAGE_ROOT } from '../../native/build/llama.mjs';

const COMPILED = ['src', 'test', 'bench'];
const LEFT_OUT = ['.git', 'build', 'dist', ...COMPILED];

/** @param {string} tree folder, made anew */
export function javascriptTree(tree) {
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  for (const name of readdirSync(PACKAGE_ROOT)) {
    if (!LEFT_OUT.includes(name)) symlinkSync(join(PACKAGE_ROOT, name), join(tree, name));
  }
  for (const name of COMPILED) compile(join(PACKAGE_ROOT, name), join(tree, name));
  // What the package is imported by from examples and from its own name.
  symlinkSync('src', join(tree, 'dist'));
}

function compile(from, to) {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.name === 'golden') symlinkSync(source, target);
    else if (entry.isDirectory()) compile(source, target);
    else if (/(?<!\.d)\.ts$/.test(entry.name)) writeFileSync(target.replace(/\.ts$/, '.js'), javascript(source));
    else copyFileSync(source, target); // a link would import what lies beside its source
  }
}

function javascript(file) {
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022, // `await using` is newer than some Nodes
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    inlineSourceMap: true,
  };
  return ts.transpileModule(readFileSync(file, 'utf8'), { compilerOptions, fileName: file }).outputText;
}
