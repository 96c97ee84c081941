/** The end of a process, or of a worker thread, in every phase of a request: no crash, no hang. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const tiny = new URL('./tiny.ts', import.meta.url).href;

const script = (atEvent: string) => `
  const { loadTiny, QUESTION, UNSAFE } = await import(${JSON.stringify(tiny)});
  const eta = await loadTiny();
  const request = { ...QUESTION, thresholds: UNSAFE, whenStillUnsafe: 'return', maxTokens: 200 };
  for await (const event of eta.stream(request)) { ${atEvent} }
  console.log('done');
`;

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
  readonly errors: string;
}

async function run(code: string): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    timeout: 60_000,
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    errors += data;
  });
  return await new Promise((resolve) => {
    child.on('close', (status, signal) => resolve({ code: status, signal, output, errors }));
  });
}

for (const type of ['picture', 'vanilla', 'answer', 'round', 'done']) {
  test(`process.exit() at ${type}`, async () => {
    const { code, signal, errors } = await run(script(`if (event.type === '${type}') process.exit(7);`));
    assert.deepEqual({ code, signal, errors }, { code: 7, signal: null, errors: '' });
  });
}

test('an exception that nobody catches ends the process as usual', async () => {
  const { code, signal, errors } = await run(
    script("if (event.type === 'round') setImmediate(() => { throw new RangeError('mine'); });"),
  );
  assert.deepEqual({ code, signal }, { code: 1, signal: null });
  assert.match(errors, /RangeError: mine/);
});

test('a script that forgets dispose ends by itself', async () => {
  const { code, signal, output, errors } = await run(script(''));
  assert.deepEqual({ code, signal, output, errors }, { code: 0, signal: null, output: 'done\n', errors: '' });
});

test('in a worker thread: an answer, and the end in the middle of one', async () => {
  for (const atEvent of ['', "if (event.type === 'round') process.exit(0);"]) {
    const code = `import('tsx/esm/api').then(async ({ register }) => { register(); ${script(atEvent)} })`;
    const worker = new Worker(code, { eval: true, stdout: true });
    const errors: unknown[] = [];
    worker.on('error', (error) => errors.push(error));
    const status = await new Promise((resolve) => {
      worker.on('exit', resolve);
    });
    assert.deepEqual([status, errors], [0, []], atEvent);
  }
});
