/** Runs the built command line as a user does: a process of its own, with its own stdin, stdout and stderr. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const packageRoot = fileURLToPath(new URL('../../', import.meta.url));
export const main = `${packageRoot}dist/cli/main.js`;

assert.ok(existsSync(main), `Expected ${main}, which these tests run. Run npm run build first.`);

export interface Ended {
  /** Exit code, or null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunSettings {
  /** Text for stdin, which is closed after it; without it stdin is empty. */
  readonly stdin?: string;
  /** Leaves stdin open. */
  readonly keepsStdinOpen?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Signals to send, by milliseconds after the start. */
  readonly signals?: readonly { readonly signal: NodeJS.Signals; readonly afterMs: number }[];
  /** Closes our end of stdout at once, as `| head -0` would. */
  readonly closesStdout?: boolean;
  /** Where the process runs. */
  readonly cwd?: string;
  /** Files in place of our ends of stdin, stdout and stderr, opened by the caller; null: as ever. */
  readonly streams?: readonly [stdin: number | null, stdout: number | null, stderr: number | null];
  /** What a file may have at most, in blocks of 512 bytes: beyond it writing fails, as on a full disk. */
  readonly fileBlocks?: number;
  /** How many files it may have open. */
  readonly openFiles?: number;
  /** Its address space at most, in KiB. */
  readonly addressKiB?: number;
}

/** What the person who runs the tests has chosen. */
const PERSONAL = /^(HF_|LLAMA_CACHE$|ETA_VLM_MODELS$|(https?|all|no)_proxy$)/i;
const NOWHERE = join(tmpdir(), 'eta-vlm-nothing-here');
/** Below a file: nothing is remembered of the files that one test verifies. */
const NO_CACHE = join(process.execPath, 'none');

const WAIT_MS = 120_000;

export async function run(args: readonly string[], settings: RunSettings = {}): Promise<Ended> {
  const { NO_COLOR: _no, FORCE_COLOR: _force, DEBUG: _debug, NODE_OPTIONS: _options, ...all } = process.env;
  const inherited = Object.fromEntries(Object.entries(all).filter(([name]) => !PERSONAL.test(name)));
  const { streams = [null, null, null], fileBlocks, openFiles, addressKiB } = settings;
  const words = [process.execPath, main, ...args];
  const limits = Object.entries({ f: fileBlocks, n: openFiles, v: addressKiB }).filter(
    ([, most]) => most !== undefined,
  );
  const limited = ['sh', '-c', `${limits.map(([of, most]) => `ulimit -${of} ${most}; `).join('')}exec "$0" "$@"`];
  const [command = '', ...rest] = limits.length === 0 ? words : [...limited, ...words];
  const child = spawn(command, rest, {
    env: { ...inherited, XDG_CONFIG_HOME: NOWHERE, HF_HUB_CACHE: NOWHERE, ETA_VLM_CACHE: NO_CACHE, ...settings.env },
    ...(settings.cwd === undefined ? {} : { cwd: settings.cwd }),
    stdio: streams.map((fd) => fd ?? 'pipe'),
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  if (settings.closesStdout) child.stdout?.destroy();
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin?.on('error', () => undefined); // the process may end before it has read everything
  if (settings.stdin !== undefined) child.stdin?.write(settings.stdin);
  if (!settings.keepsStdinOpen) child.stdin?.end();
  const timers = (settings.signals ?? []).map(({ signal, afterMs }) => setTimeout(() => child.kill(signal), afterMs));
  const guard = setTimeout(() => child.kill('SIGKILL'), WAIT_MS);
  const ended = await new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  for (const timer of [...timers, guard]) clearTimeout(timer);
  assert.notEqual(ended.signal, 'SIGKILL', `eta-vlm ${args.join(' ')} did not end within ${WAIT_MS} ms: ${stderr}`);
  return ended;
}

/** Asserts the manner of every refusal: one line on stderr with this code, nothing on stdout. */
export function assertRefused(ended: Ended, expected: { exitCode: number; code: string; message: RegExp }): void {
  const { exitCode, code, message } = expected;
  assert.equal(ended.stdout, '');
  assert.match(ended.stderr, /^eta-vlm: [^\n]+\n$/, 'expected one line on stderr');
  assert.ok(ended.stderr.endsWith(`(${code})\n`), `expected ${code}, received: ${ended.stderr}`);
  assert.match(ended.stderr, message);
  assert.deepEqual({ code: ended.code, signal: ended.signal }, { code: exitCode, signal: null });
}
