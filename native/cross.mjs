#!/usr/bin/env node
/** `npm run cross -- linux-arm64`: the addon for another platform, compiled here with zig. */
import { runCommand } from './build/command.mjs';
import { crossBuild } from './build/cross.mjs';
import { BuildError } from './build/progress.mjs';
import { TARGETS } from './build/targets.mjs';

const NAMES = Object.keys(TARGETS).join(' | ');
const USAGE = `Usage: npm run cross -- ${NAMES} [--without-cpu]

  --without-cpu   no CPU backends of our own (they take minutes); node-llama-cpp's are used then, as on Windows and macOS:
                  many times slower beside other work, and twice as slow with pictures

Needs zig: ZIG=/path/of/zig, zig on the PATH, or Python's package ziglang. Output: build/targets.`;

async function main(args) {
  if (args.includes('--help')) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const [name, ...others] = args.filter((arg) => arg !== '--without-cpu');
  if (name === undefined || others.length > 0 || !Object.hasOwn(TARGETS, name)) {
    throw new BuildError(`Expected one of ${NAMES}, received ${JSON.stringify(args.join(' '))}.\n${USAGE}`, 2);
  }
  await crossBuild(name, !args.includes('--without-cpu'));
}

await runCommand(main);
