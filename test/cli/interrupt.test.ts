/** What stops a command: whatever it does with the signal, the caller of the shell is told that it was stopped. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-interrupt-'));
after(() => rmSync(folder, { recursive: true }));
const room = new URL('../../src/terminal/', import.meta.url).href;
const root = fileURLToPath(new URL('../..', import.meta.url));

/** A command that says "ready", does this under its signal, and ends as commands do. */
function command(name: string, work: string): ChildProcess {
  const path = join(folder, `${name}.mjs`);
  const body = `
    import { withInterrupt } from '${room}interrupt.ts';
    const heard = (signal) => new Promise((resolve) => signal.addEventListener('abort', resolve));
    const alive = setInterval(() => undefined, 1000);
    try {
      process.exitCode = await withInterrupt(async (signal, interrupts) => { console.log('ready'); ${work} });
    } catch (error) {
      console.error(error.message);
      process.exitCode = error.exitCode ?? 70;
    }
    clearInterval(alive);`;
  writeFileSync(path, body);
  return spawn(process.execPath, ['--import', 'tsx', path], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function ended(child: ChildProcess, ...signals: NodeJS.Signals[]): Promise<[number | null, string]> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const left = [...signals];
  child.stdout?.on('data', () => {
    const signal = left.shift();
    if (signal !== undefined) child.kill(signal);
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return [code, said.trim()];
}

const skip = process.platform === 'win32' && 'signals end a process there';

test('a command that returns when it was stopped was stopped all the same', { skip }, async () => {
  const work = 'await heard(signal); return 0;';
  assert.deepEqual(await ended(command('returns', work), 'SIGINT'), [130, 'interrupted.']);
  assert.deepEqual(await ended(command('returns', work), 'SIGTERM'), [143, 'terminated.']);
  assert.deepEqual(await ended(command('throws', "await heard(signal); throw new RangeError('late');"), 'SIGINT'), [
    130,
    'interrupted.',
  ]);
  assert.deepEqual(await ended(command('undisturbed', 'return 3;')), [3, '']);
});

test('a second signal ends the process; one that is for a part of the work stops nothing', { skip }, async () => {
  const deaf = "signal.addEventListener('abort', () => console.log('again')); await new Promise(() => undefined);";
  assert.deepEqual(await ended(command('deaf', deaf), 'SIGINT', 'SIGINT'), [130, '']);
  const part = `
    let count = 0;
    await new Promise((resolve) => { interrupts.isForPart = () => { count++; resolve(); return true; }; });
    return signal.aborted ? 1 : count + 4;`;
  assert.deepEqual(await ended(command('part', part), 'SIGINT'), [5, '']);
});
