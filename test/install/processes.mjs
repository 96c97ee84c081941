/** Programs that end with the test that started them: each is a group of its own, which a signal ends. */
import { spawn } from 'node:child_process';

const running = new Map();
let isEnding = false;

/** @returns what it said, and its status; null where a signal or its time ended it */
export async function runProgram(command, args, { timeout, ...options } = {}) {
  if (isEnding) return await new Promise(() => undefined); // nothing new is begun
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options, detached: true });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name]?.setEncoding('utf8').on('data', (text) => (said[name] += text));
  }
  const done = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  running.set(child, done);
  const timer = timeout === undefined ? undefined : setTimeout(() => endGroup(child, 'SIGKILL'), timeout);
  try {
    const status = await done;
    if (isEnding) return await new Promise(() => undefined); // whoever waits is not to go on
    return { status, ...said };
  } finally {
    clearTimeout(timer);
    running.delete(child);
  }
}

function endGroup({ pid }, signal) {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // it has ended in the meantime
  }
}

/** At SIGINT, SIGTERM and SIGHUP: ends all that runs, waits for it, cleans, and ends this process with 130. */
export function cleanAtSignals(clean) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, async () => {
      if (isEnding) return;
      isEnding = true;
      for (const child of running.keys()) endGroup(child, 'SIGTERM');
      const patience = setTimeout(() => {
        for (const child of running.keys()) endGroup(child, 'SIGKILL');
      }, 3000);
      await Promise.allSettled(running.values());
      clearTimeout(patience);
      clean();
      process.exit(130);
    });
  }
}
