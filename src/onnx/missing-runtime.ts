/** onnxruntime-node as npm may leave it: not installed, without its binary, or cut off. What to run is said in the error. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { libraryProblem } from '../library-file.js';

const LIBRARY = /\.(node|dll|dylib|so(\.\d+)*)$/;

/** npm's line that brings it. Its install script fetches CUDA files that are not used here, and fails closed networks. */
function installLine(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const { optionalDependencies } = manifest as { optionalDependencies?: Record<string, string> };
  return `npm install --save-exact --ignore-scripts onnxruntime-node@${optionalDependencies?.['onnxruntime-node'] ?? 'latest'}`;
}

/** What is missing and what to do, for the error of a thread that could not import it; undefined for any other error. */
export function missingRuntime(error: unknown): string | undefined {
  const text = error instanceof Error ? error.message : String(error);
  if (!text.includes('onnxruntime')) return undefined;
  if (/Cannot find package/.test(text)) {
    return (
      'Expected the package onnxruntime-node, which CLIP and reward models run on, but it is not installed: npm leaves it out ' +
      `where its install script cannot reach the network. The script is not needed. Run: ${installLine()}`
    );
  }
  if (/Cannot find module .*onnxruntime_binding\.node/.test(text)) {
    return (
      `Expected onnxruntime-node's binary for ${process.platform} ${process.arch}, but the package has none: it was never made for ` +
      'this platform, or taken away with those of others. Remove node_modules/onnxruntime-node and run: ' +
      installLine()
    );
  }
  if (/libonnxruntime|onnxruntime_binding\.node|onnxruntime\.dll/.test(text)) {
    return (
      `Expected onnxruntime-node's libraries to load, but they do not: ${text.split('\n')[0]}. In an application's archive the whole ` +
      `package must be unpacked (docs/install.md); else remove node_modules/onnxruntime-node and run: ${installLine()}`
    );
  }
  return undefined;
}

/** Where the libraries of an onnxruntime-node lie, if it has any for this platform; undefined where there is none. */
export function libraryFolder(root = runtimeRoot()): string | undefined {
  return root === undefined ? undefined : join(root, 'bin', 'napi-v6', process.platform, process.arch);
}

/** What is wrong with its libraries and what to do, before one is opened; undefined where they are whole, or not there. */
export function damagedRuntime(root = runtimeRoot()): string | undefined {
  const folder = libraryFolder(root);
  if (folder === undefined || !existsSync(folder)) return undefined;
  for (const name of readdirSync(folder).filter((file) => LIBRARY.test(file))) {
    const problem = libraryProblem(join(folder, name));
    if (problem === null) continue;
    return (
      `Expected onnxruntime-node's library ${join(folder, name)} to be whole, received ${problem}. ` +
      `Remove node_modules/onnxruntime-node and run: ${installLine()}`
    );
  }
  return undefined;
}

function runtimeRoot(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  } catch {
    return undefined; // the thread's error says so
  }
}
