/**
 * `npm run test:install`: packs eta-vlm and this platform's addon, installs both in a Debian without compiler, CMake and git,
 * and asks the miniature a question there. Says times and sizes.
 *
 * Exit status: 0 where all is as it must be, 1 where not, 3 where this machine cannot try it (no root, no debootstrap, no
 * network), with the reason.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BareRoot, CannotRun } from './bare-root.mjs';
import { cleanAtSignals, runProgram } from './processes.mjs';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** The package managers that these versions of Node come with, and pnpm. */
const CASES = [
  { node: '20', manager: 'npm@10' },
  { node: '22', manager: 'npm@10' },
  { node: '24', manager: 'npm@11' },
  { node: '24', manager: 'pnpm@10' },
  { node: '26', manager: 'npm@12' },
];

/** Megabytes on the disk, at most. */
const LIMITS = { installed: 460, pruned: 220 };

const QUESTION = ['ask', '--json', '--seed', '1', '--image'];
const PICTURE = 'models/miniature/pictures/drawn-08.png';
const WORDS = 'How do I do this?';

/** CPU backends of our own take minutes to compile, once: `npm run test:install -- --with-cpu` has them in. */
const packing = process.argv.includes('--with-cpu') ? [] : ['--without-cpu'];

const COULD_NOT_RUN = 3;
/** What npm and pnpm say of a registry that does not answer. */
const NO_NETWORK =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|FETCH_ERROR|E50[234])\b/;

const failures = [];

function expect(holds, what) {
  if (!holds) failures.push(what);
}

/** What an answer says, its times left out. */
function answerOf(stdout) {
  const { text, verdict } = JSON.parse(stdout);
  return `${verdict.action}: ${text}`;
}

/** The answer of the addon that was built here. */
function answerHere() {
  const args = [join(repository, 'dist', 'cli', 'main.js'), ...QUESTION, join(repository, PICTURE), WORDS];
  return answerOf(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

/** A file that pnpm links into several folders counts once. */
function megabytes(folder) {
  const bytes = execFileSync('du', ['--summarize', '--apparent-size', '--block-size=1', folder], { encoding: 'utf8' });
  return Number.parseInt(bytes, 10) / 1e6;
}

class Project {
  constructor(root, { node, manager }, programs) {
    this.root = root;
    this.name = `Node ${node}, ${manager}`;
    this.isPnpm = manager.startsWith('pnpm');
    this.cwd = `/srv/node-${node}-${manager.replace('@', '-')}`;
    const folder = programs.get(`node-linux-${process.arch}@${node}`);
    const script = this.isPnpm ? 'bin/pnpm.cjs' : 'bin/npm-cli.js';
    this.manager = [`${folder}/bin/node`, `${programs.get(manager)}/${script}`];
    this.env = {
      PATH: `${folder}/bin:/usr/bin:/bin`,
      HOME: '/root',
      NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/ca-certificates.crt',
      npm_config_registry: execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim(),
      npm_config_store_dir: '/srv/store',
      npm_config_update_notifier: 'false',
    };
    mkdirSync(join(root.folder, this.cwd), { recursive: true });
    writeFileSync(join(root.folder, this.cwd, 'package.json'), '{ "name": "application", "private": true }\n');
  }

  #run(args, options = {}) {
    return this.root.run([...this.manager, ...args], { cwd: this.cwd, env: this.env, ...options });
  }

  install(tarballs) {
    return this.#run([this.isPnpm ? 'add' : 'install', '--ignore-scripts', ...tarballs]);
  }

  /** `npx eta-vlm …`, without asking any registry. */
  command(args, options) {
    return this.#run(['exec', ...(this.isPnpm ? [] : ['--no', '--']), 'eta-vlm', ...args], options);
  }

  ask(options) {
    return this.command([...QUESTION, `node_modules/eta-vlm/${PICTURE}`, WORDS], options);
  }

  modules() {
    return join(this.root.folder, this.cwd, 'node_modules');
  }
}

/** Installs and asks, with the network cut off for the answer. */
async function tryProject(project, tarballs, expected) {
  const installed = await project.install(tarballs);
  const { name } = project;
  if (installed.status !== 0) {
    if (NO_NETWORK.test(installed.stderr))
      throw new CannotRun(`${name} reached no registry: ${installed.stderr.trim()}`);
    failures.push(`${name}: the installation ended with ${installed.status}: ${installed.stderr.trim().slice(-800)}`);
    return;
  }
  const before = megabytes(project.modules());
  const asked = await project.ask({ isOffline: true });
  const said = asked.status === 0 ? answerOf(asked.stdout.slice(asked.stdout.indexOf('{'))) : asked.stderr.trim();
  expect(
    said === expected,
    `${name}: expected the answer of the addon that was built here, ${expected}, received ${said}`,
  );
  const pruned = await project.command(['prune']);
  const after = megabytes(project.modules());
  expect(pruned.status === 0, `${name}: prune ended with ${pruned.status}: ${pruned.stderr}`);
  expect(
    before <= LIMITS.installed,
    `${name}: ${before.toFixed(0)} MB are installed, at most ${LIMITS.installed} may be`,
  );
  expect(after <= LIMITS.pruned, `${name}: ${after.toFixed(0)} MB are left by prune, at most ${LIMITS.pruned} may be`);
  const again = await project.ask();
  expect(again.status === 0, `${name}: no answer after prune: ${again.stderr.trim()}`);
  const times = `installed in ${installed.seconds.toFixed(1)} s, answered in ${asked.seconds.toFixed(1)} s`;
  console.log(`${name.padEnd(18)} ${times}; ${before.toFixed(0)} MB, ${after.toFixed(0)} MB after prune`);
}

/** A backend for a GPU whose driver is not there: said by doctor, and the processor answers. */
async function tryGpu(project) {
  const { devDependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const name = `@node-llama-cpp/linux-${process.arch}-vulkan`;
  const installed = await project.install([`${name}@${devDependencies['node-llama-cpp']}`]);
  expect(installed.status === 0, `${name}: the installation ended with ${installed.status}: ${installed.stderr}`);
  const { status, stdout, stderr } = await project.command(['doctor', '--json']);
  const [gpu] = status === 0 ? JSON.parse(stdout.slice(stdout.indexOf('{'))).addon.gpuBackends : [];
  const isTold = gpu?.package === name && /^libvulkan\.so\.1: /.test(gpu.problem);
  expect(isTold, `${name} without a driver: expected its reason, received ${status}: ${JSON.stringify(gpu)} ${stderr}`);
}

/** What a user reads where something is missing. */
async function tryMissing(project) {
  for (const [missing, code, line] of [
    ['onnxruntime-node', 'ERR_EVALUATOR', 'npm install --save-exact --ignore-scripts onnxruntime-node@'],
    ['@node-llama-cpp', 'ERR_ADDON_INVALID', 'npm install --save-exact @node-llama-cpp/linux-'],
    ['@eta-vlm', 'ERR_ADDON_NOT_FOUND', 'npx eta-vlm build'],
  ]) {
    rmSync(join(project.modules(), missing), { recursive: true });
    const { status, stderr } = await project.ask();
    const isTold = status === 1 && stderr.includes(code) && stderr.includes(line);
    expect(isTold, `without ${missing}: expected ${code} and "${line}", received ${status}: ${stderr.trim()}`);
  }
  const { status, stderr } = await project.command(['build']);
  const isTold = status === 1 && stderr.includes('node-llama-cpp@') && stderr.includes('cmake');
  expect(isTold, `build without anything: expected what is missing, received ${status}: ${stderr.trim()}`);
}

async function tryAll(root, tarballsHere) {
  expect(root.tools().length === 0, `the root is to have no compiler, CMake, git: ${root.tools().join(', ')}`);
  const names = CASES.flatMap(({ node, manager }) => [`node-linux-${process.arch}@${node}`, manager]);
  const programs = new Map();
  for (const name of new Set(names)) programs.set(name, await root.unpack(name));
  const expected = answerHere();
  mkdirSync(join(root.folder, 'srv', 'packages'), { recursive: true });
  const tarballs = tarballsHere.map((path) => {
    copyFileSync(path, join(root.folder, 'srv', 'packages', basename(path)));
    return `/srv/packages/${basename(path)}`;
  });
  const projects = CASES.map((one) => new Project(root, one, programs));
  for (const project of projects) await tryProject(project, tarballs, expected);
  if (process.arch === 'x64') await tryGpu(projects[0]);
  await tryMissing(projects[0]);
}

/** @returns its standard output, where it ended well */
async function npmRun(script, ...args) {
  const { status, stdout } = await runProgram('npm', ['run', '--silent', script, '--', ...args], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) failures.push(`npm run ${script} ended with ${status}`);
  return status === 0 ? stdout : undefined;
}

/** One's own build, whose answer is the expected one, and the tarballs. */
async function packages() {
  if ((await npmRun('build')) === undefined) return undefined;
  return (await npmRun('package', ...packing))?.trim().split('\n'); // a tarball a line
}

let root;
cleanAtSignals(() => root?.remove());
try {
  BareRoot.check();
  root = new BareRoot();
  const making = root.make(); // while the addon is compiled
  making.catch(() => undefined);
  const tarballs = await packages();
  await making;
  if (tarballs !== undefined) await tryAll(root, tarballs);
} catch (error) {
  if (!(error instanceof CannotRun)) throw error;
  console.error(`The installation without a compiler was not tried: ${error.message}.`);
  process.exitCode = COULD_NOT_RUN;
} finally {
  root?.remove();
}
for (const failure of failures) console.error(failure);
if (failures.length > 0) process.exitCode = 1;
