/** Other platforms than this one, compiled here with zig. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LLAMA_TAG, PACKAGE_ROOT, packageOfLlama } from './llama.mjs';
import { findProgram } from './options.mjs';
import { BuildError } from './progress.mjs';

/**
 * By the names of Node. `triple` as zig calls it, the glibc that node-llama-cpp's libraries need included; `system` and
 * `processor` as CMake does; `llama` is node-llama-cpp's package.
 */
export const TARGETS = {
  'linux-arm64': { triple: 'aarch64-linux-gnu.2.34', system: 'Linux', processor: 'aarch64', llama: 'linux-arm64' },
  'win32-x64': { triple: 'x86_64-windows-gnu', system: 'Windows', processor: 'AMD64', llama: 'win-x64' },
  'darwin-arm64': { triple: 'aarch64-macos.14.0', system: 'Darwin', processor: 'arm64', llama: 'mac-arm64-metal' },
};

/** zig, which is no package of ours: ZIG names it, or it is on the PATH, or in Python's package ziglang. */
export function findZig(env = process.env) {
  const zig = env.ZIG || findProgram('zig') || zigOfPython();
  const version = zig === undefined ? undefined : output(zig, ['version']);
  if (version === undefined) {
    throw new BuildError(
      `Expected zig to compile for another platform${zig === undefined ? '' : `, but ${zig} does not run`}. Install it ` +
        '(pip install ziglang, or https://ziglang.org), and name it where it is not found: ZIG=/path/of/zig',
    );
  }
  return { zig, version };
}

function zigOfPython() {
  const program = 'import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))';
  return output('python3', ['-c', program]);
}

function output(command, args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** Starts zig with the names that it has for Arm's processors. */
const LAUNCHER = `${process.execPath};${join(PACKAGE_ROOT, 'native', 'build', 'zig-arm.mjs')}`;

/** CMake's flags for a target. */
export function crossFlags({ triple, system, processor }, zig) {
  return [
    `-DCMAKE_TOOLCHAIN_FILE=${join(PACKAGE_ROOT, 'native', 'build', 'zig.cmake')}`,
    `-DETA_ZIG=${zig}`,
    `-DETA_TRIPLE=${triple}`,
    `-DETA_SYSTEM=${system}`,
    `-DETA_PROCESSOR=${processor}`,
    ...(processor === 'aarch64'
      ? ['C', 'CXX'].map((language) => `-DCMAKE_${language}_COMPILER_LAUNCHER=${LAUNCHER}`)
      : []),
    '-DCMAKE_POLICY_DEFAULT_CMP0119=NEW', // a .c that is said to be C++ is compiled as C++; zig goes by the suffix
  ];
}

/** Folder of node-llama-cpp's libraries for a target of this system: npm installs those of all its processors. */
export function targetBinaries({ llama }) {
  const folder = join(dirname(dirname(packageOfLlama())), 'node_modules', '@node-llama-cpp', llama, 'bins', llama);
  const facts = join(folder, '_nlcBuildMetadata.json');
  if (!existsSync(facts)) {
    throw new BuildError(`Expected node-llama-cpp's libraries in ${folder}. Install them: npm ci --force`);
  }
  const { release } = JSON.parse(readFileSync(facts, 'utf8')).buildOptions.llamaCpp;
  if (release !== LLAMA_TAG) {
    throw new BuildError(`Expected libraries of llama.cpp ${LLAMA_TAG} in ${folder}, found ${release}.`);
  }
  return folder;
}
