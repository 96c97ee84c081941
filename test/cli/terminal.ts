/** Runs the built command line at a terminal, as somebody who types: `script` of util-linux makes one. */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { main } from './command.js';

/** Why there is no terminal to test with; false where there is one. */
export const noTerminal: string | false =
  process.platform !== 'linux' || spawnSync('script', ['--version']).error !== undefined
    ? 'needs script of util-linux'
    : false;

const WAIT_MS = 60_000;

export class Terminal {
  /** All that was shown. */
  shown = '';
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #folder = mkdtempSync(join(tmpdir(), 'eta-vlm-terminal-'));
  readonly #ended: Promise<number | null>;
  #from = 0;

  constructor(
    t: TestContext,
    args: readonly string[],
    { columns = 80, env = {} }: { columns?: number; env?: NodeJS.ProcessEnv } = {},
  ) {
    const words = [process.execPath, main, ...args].map((word) => `'${word}'`).join(' ');
    const line = `tty > '${this.#folder}/name'; stty cols ${columns} rows 40; exec ${words}`;
    const inherited = { ...process.env, TERM: 'xterm', NO_COLOR: '1', SHELL: '/bin/sh', ...env };
    this.#child = spawn('script', ['-qec', line, '/dev/null'], { env: inherited });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.shown += text;
    });
    this.#child.stdin.on('error', () => undefined);
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
    t.after(() => {
      this.#child.kill(); // where the test failed; the terminal goes with it, and what runs there hears of it
      rmSync(this.#folder, { recursive: true });
    });
  }

  type(keys: string): void {
    this.#child.stdin.write(keys);
  }

  /** What is shown, up to the text and with it, since the last that was waited for. */
  async wait(text: string): Promise<string> {
    const until = Date.now() + WAIT_MS;
    for (;;) {
      const at = this.shown.indexOf(text, this.#from);
      if (at >= 0) {
        const found = this.shown.slice(this.#from, at + text.length);
        this.#from = at + text.length;
        return found;
      }
      const left = this.shown.slice(this.#from);
      assert.ok(Date.now() < until, `expected ${JSON.stringify(text)}, received ${JSON.stringify(left)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  resize(columns: number): void {
    const name = readFileSync(join(this.#folder, 'name'), 'utf8').trim();
    execFileSync('stty', ['-F', name, 'cols', String(columns)]);
  }

  /** The exit code. */
  async end(): Promise<number | null> {
    const guard = setTimeout(() => this.#child.kill('SIGKILL'), WAIT_MS);
    const code = await this.#ended;
    clearTimeout(guard);
    return code;
  }
}
