/** One test file, run in a process of its own, which is ended with all that it started when it takes too long. */
import { spawn } from 'node:child_process';

export interface TestRun {
  readonly isGreen: boolean;
  readonly isOverdue: boolean;
  readonly ms: number;
  /** The end of what it said. */
  readonly said: string;
}

/** A line of the reporter's that tells a failure. */
const FAILED = /^ *not ok /m;

/**
 * One failure is enough: what comes behind it in the file is not waited for.
 *
 * @param file below the root
 */
export async function runTest(
  root: string,
  file: string,
  { limitMs, env = {} }: { readonly limitMs: number; readonly env?: Readonly<Record<string, string>> },
): Promise<TestRun> {
  const startedAt = Date.now();
  // A test that is run by a test would tell it in the runner's own form.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--import', 'tsx', '--test-reporter', 'tap', file], {
    cwd: root,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let said = '';
  let hasFailed = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      said += text;
      // A line may come in pieces.
      if (stream === child.stdout && !hasFailed && FAILED.test(said.slice(0, said.lastIndexOf('\n') + 1))) {
        hasFailed = true;
        endGroup(child.pid);
      }
      said = said.slice(-4000);
    });
  }
  let isOverdue = false;
  const timer = setTimeout(() => {
    isOverdue = true;
    endGroup(child.pid);
  }, limitMs);
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
  clearTimeout(timer);
  endGroup(child.pid); // whatever it left behind
  child.stdout.destroy();
  child.stderr.destroy();
  return { isGreen: code === 0 && !hasFailed, isOverdue, ms: Date.now() - startedAt, said };
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
