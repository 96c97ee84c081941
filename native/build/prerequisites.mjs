/** What must be on the machine before anything is built, and the command that brings what is missing. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './options.mjs';
import { BuildError } from './progress.mjs';

const NEEDS = {
  compiler: {
    what: 'a C++17 compiler',
    apt: 'g++ make',
    dnf: 'gcc-c++ make',
    brew: '',
    winget: 'Microsoft.VisualStudio.2022.BuildTools',
  },
  cmake: { what: 'CMake 3.19 or newer', apt: 'cmake', dnf: 'cmake', brew: 'cmake', winget: 'Kitware.CMake' },
  git: { what: 'git', apt: 'git', dnf: 'git', brew: '', winget: 'Git.Git' },
  nvcc: {
    what: 'the CUDA toolkit (nvcc), for --cuda',
    apt: 'nvidia-cuda-toolkit',
    dnf: 'cuda-toolkit',
    brew: '',
    winget: 'Nvidia.CUDA',
  },
  glslc: {
    what: 'the Vulkan SDK (glslc), for --vulkan',
    apt: 'libvulkan-dev glslc',
    dnf: 'vulkan-devel glslc',
    brew: 'vulkan-headers shaderc',
    winget: 'KhronosGroup.VulkanSDK',
  },
};

/** Packages that a build needs and an answer does not, each by a file of it: devDependencies, which npm leaves out elsewhere. */
const PACKAGES = {
  'node-llama-cpp': 'node-llama-cpp', // carries the source of llama.cpp
  'cmake-js': 'cmake-js/package.json',
  'node-addon-api': 'node-addon-api/package.json',
  'node-api-headers': 'node-api-headers/package.json',
};

/**
 * @returns {string} the compiler's own description, which becomes part of the libraries' key
 * @throws BuildError that names everything missing at once
 */
export function checkPrerequisites({ backend, isPrebuilt }) {
  const missing = [];
  const compiler = describeCompiler();
  if (compiler === undefined) missing.push('compiler');
  const cmake = /version (\d+)\.(\d+)/.exec(output('cmake', ['--version']) ?? '');
  if (cmake === null || Number(cmake[1]) * 1000 + Number(cmake[2]) < 3019) missing.push('cmake');
  if (output('git', ['--version']) === undefined) missing.push('git');
  if (backend === 'cuda' && !isPrebuilt && findProgram('nvcc') === undefined) missing.push('nvcc');
  if (backend === 'vulkan' && !isPrebuilt && findProgram('glslc') === undefined) missing.push('glslc');
  const packages = missingPackages();
  if (missing.length === 0 && packages.length === 0 && compiler !== undefined) return compiler;
  const lines = missing.map((name) => `- ${NEEDS[name].what}: ${installCommand(name)}`);
  if (packages.length > 0) {
    lines.push(`- packages that only a build needs: npm install --save-dev --ignore-scripts ${packages.join(' ')}`);
  }
  throw new BuildError(`Missing to build the native addon:\n${lines.join('\n')}\nInstall and run the build again.`);
}

/** Those of PACKAGES that cannot be found from here, with the versions that this package was made with. */
function missingPackages() {
  const { resolve } = createRequire(import.meta.url);
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const isMissing = (file) => {
    try {
      resolve(file);
      return false;
    } catch {
      return true;
    }
  };
  return Object.entries(PACKAGES)
    .filter(([, file]) => isMissing(file))
    .map(([name]) => `${name}@${manifest.devDependencies[name]}`);
}

function installCommand(name) {
  const need = NEEDS[name];
  if (process.platform === 'win32') return `winget install ${need.winget}`;
  if (process.platform === 'darwin') return need.brew === '' ? 'xcode-select --install' : `brew install ${need.brew}`;
  if (findProgram('dnf') !== undefined) return `sudo dnf install ${need.dnf}`;
  if (findProgram('apt-get') !== undefined) return `sudo apt-get install -y ${need.apt}`;
  return `install ${need.apt} with the system's package manager`;
}

/** On Windows CMake finds Visual Studio by itself, where it is installed. */
function describeCompiler() {
  if (process.platform === 'win32') return 'msvc';
  const command = process.env.CXX ?? 'c++';
  const version = output(command, ['--version'])?.split('\n')[0];
  if (version === undefined || !compilesCpp17(command)) return undefined;
  return `${command} ${version}`;
}

/** Asked of the compiler itself: a version says little across vendors. Only the front end runs, some milliseconds. */
function compilesCpp17(command) {
  const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-'));
  try {
    const file = join(folder, 'probe.cpp');
    writeFileSync(
      file,
      '#if __cplusplus < 201703L\n#error C++17\n#endif\nint main() { if (int x = 0; x) return 1; }\n',
    );
    return spawnSync(command, ['-std=c++17', '-fsyntax-only', file]).status === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function output(command, args) {
  const result = spawnSync(command, args, { encoding: 'utf8' });
  return result.status === 0 ? result.stdout : undefined;
}
