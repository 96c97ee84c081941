/**
 * CMake's compiler launcher for Arm: starts zig with the processor in zig's words. ggml says -march=armv8.2-a+dotprod+fp16;
 * zig knows -mcpu=generic+v8_2a+dotprod+fullfp16 alone.
 */
import { spawnSync } from 'node:child_process';

/** By ggml's names; the others are zig's too. */
const FEATURES = new Map([
  ['fp16', '+fullfp16'],
  ['nosve', '-sve'],
]);

/** @param {string} option of a compiler */
export function inWordsOfZig(option) {
  const [, version, features = ''] = /^-march=armv(\d+(?:\.\d+)?)-a((?:\+\w+)*)$/.exec(option) ?? [];
  if (version === undefined) return option;
  const names = features.split('+').filter((name) => name !== '');
  const wanted = names.map((name) => FEATURES.get(name) ?? `+${name}`).join('');
  return `-mcpu=generic+v${version.replace('.', '_')}a${wanted}`;
}

const [program, ...options] = process.argv.slice(2);
if (process.argv[1] === import.meta.filename && program !== undefined) {
  process.exitCode = spawnSync(program, options.map(inWordsOfZig), { stdio: 'inherit' }).status ?? 1;
}
