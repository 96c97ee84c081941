/** What the builder says while it works: one line a stage on stderr; compilers write to a log file. */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** An error that the builder explains by its message alone; `exitCode` 2 is the caller's mistake, 1 any other. */
export class BuildError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Runs one stage and says what it was and how long it took. */
export async function stage(name, work) {
  const start = performance.now();
  const result = await work();
  say(`${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  return result;
}

/** Starts a log file anew. */
export function startLog(path) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
}

const running = new Set();

/** Runs a command with its output in the log; a failure names the log and shows its end. */
export async function run(command, args, { log, cwd, env }) {
  appendFileSync(log, `$ ${[command, ...args].join(' ')}\n`);
  const code = await new Promise((resolve, reject) => {
    // A group of its own, so that make and its compilers end with it.
    const detached = process.platform !== 'win32';
    const child = spawn(command, args, {
      cwd,
      env: childEnvironment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached,
    });
    running.add(child);
    child.stdout.on('data', (data) => appendFileSync(log, data));
    child.stderr.on('data', (data) => appendFileSync(log, data));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      running.delete(child);
      resolve(status ?? signal);
    });
  });
  if (code === 0) return;
  const lines = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
  throw new BuildError(
    `${command} ended with ${code}. The last lines of ${log}:\n${lines
      .slice(-20)
      .map((line) => `  ${line}`)
      .join('\n')}`,
  );
}

/** Ends the commands in progress, when the builder itself is told to end. */
export function stopRunning(signal) {
  for (const child of running) {
    if (child.pid === undefined) continue;
    if (process.platform === 'win32') child.kill(signal);
    else endGroup(child.pid, signal);
  }
}

function endGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // it has ended in the meantime
  }
}

/** make's own variables, left by a node-gyp above us, would make our make wait for a job server that is not ours. */
function childEnvironment(env) {
  const clean = { ...process.env, ...env };
  for (const name of ['MAKEFLAGS', 'MFLAGS', 'MAKELEVEL']) delete clean[name];
  return clean;
}
