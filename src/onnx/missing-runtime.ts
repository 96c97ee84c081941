/** onnxruntime-node as npm may leave it: not installed, or without its binary. What to run is said in the error. */
import { readFileSync } from 'node:fs';

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
