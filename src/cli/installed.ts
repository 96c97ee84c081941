/** What is installed beside the command line: manifests of packages, and our own. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** What is read of a package.json. */
export interface Manifest {
  readonly version: string;
  readonly engines?: { readonly node?: string };
}

/** Of a package, such as "sharp"; ours without a name. @throws where it is not installed */
export function manifestOf(name?: string): Manifest {
  const path = require.resolve(name === undefined ? '../../package.json' : `${name}/package.json`);
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest;
}

/** The module of the evaluators, for a process of its own. */
export const ONNX_MODULE = new URL('../onnx/index.js', import.meta.url).href;
