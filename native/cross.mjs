#!/usr/bin/env node
/** `node native/cross.mjs linux-arm64`: the addon for another platform, compiled here with zig. */
import { parseArgs } from 'node:util';
import { crossBuild } from './build/cross.mjs';
import { BuildError, say, stopRunning } from './build/progress.mjs';
import { TARGETS } from './build/targets.mjs';

const USAGE = `Usage: node native/cross.mjs ${Object.keys(TARGETS).join(' | ')} [--without-cpu]

  --without-cpu   no CPU backends of our own (they take minutes); node-llama-cpp's are used then, as on Windows and macOS

Needs zig: ZIG=/path/of/zig, zig on the PATH, or Python's package ziglang. Output: build/targets.`;

async function main() {
  const options = { 'without-cpu': { type: 'boolean', default: false } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [name, ...others] = positionals;
  if (name === undefined || others.length > 0 || !Object.hasOwn(TARGETS, name)) throw new BuildError(USAGE, 2);
  await crossBuild(name, !values['without-cpu']);
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    stopRunning(signal);
    process.exit(130);
  });
}

try {
  await main();
} catch (error) {
  if (!(error instanceof BuildError) && !error?.code?.startsWith?.('ERR_PARSE_ARGS')) throw error;
  say(error.message);
  process.exitCode = error.exitCode ?? 2;
}
