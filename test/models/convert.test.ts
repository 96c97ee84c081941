/** `models convert` up to the door of Python: what is said when it is missing, and what is kept of a failure. */
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { convertModel } from '../../src/models/index.js';

let folder: string;
let checkpoint: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eta-convert-'));
  checkpoint = join(folder, 'checkpoint');
  await mkdir(checkpoint);
});
after(() => rm(folder, { recursive: true }));

/** An interpreter that answers `check` with `check`, and a conversion with `body`, a shell script. */
async function interpreter(name: string, check: object, body: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\nif [ "$2" = check ]; then echo '${JSON.stringify(check)}'; exit 0; fi\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

const READY = { python: '3.11.7', missing: [], different: {} };
const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

test('without Python the message says what to run', async () => {
  await assert.rejects(
    convertModel({ kind: 'reward', from: checkpoint, out: join(folder, 'a'), python: join(folder, 'no') }),
    {
      name: 'ModelError',
      code: 'ERR_PYTHON',
      message:
        /no" does not run\. Run: python3 -m venv eta-python && .*pip install -r ".*requirements\.txt".*--python eta-python\/bin\/python/,
    },
  );
});

test('with packages missing, they are named', async () => {
  const python = await interpreter('poor', { python: '3.12.1', missing: ['torch', 'onnx'], different: {} }, 'exit 1');
  await assert.rejects(convertModel({ kind: 'clip', from: checkpoint, out: join(folder, 'b'), python }), {
    code: 'ERR_PYTHON',
    message: /poor \(3\.12\.1\) lacks torch, onnx\. Run: /,
  });
});

test('the variable ETA_VLM_PYTHON names the interpreter', async () => {
  process.env['ETA_VLM_PYTHON'] = join(folder, 'named-by-variable');
  try {
    await assert.rejects(convertModel({ kind: 'clip', from: checkpoint, out: join(folder, 'b') }), {
      code: 'ERR_PYTHON',
      message: /named-by-variable" does not run/,
    });
  } finally {
    delete process.env['ETA_VLM_PYTHON'];
  }
});

test('progress and notes arrive, and the words are those of the options', async () => {
  const different = { torch: ['2.15.0', '2.14.0'] };
  const body = `echo "$@" > "${folder}/words"; echo '{"step": "writing", "fraction": 0.5}' >&2; echo 'a library talks' >&2; echo '{"done": "x"}' >&2`;
  const python = await interpreter('good', { ...READY, different }, body);
  const steps: [string, number][] = [];
  const notes: string[] = [];
  await convertModel({
    kind: 'reward',
    from: checkpoint,
    out: join(folder, 'c'),
    weights: 'int4',
    name: 'n',
    maxTokens: 128,
    python,
    onProgress: (step, fraction) => steps.push([step, fraction]),
    onNote: (text) => notes.push(text),
  });
  assert.deepEqual(steps, [['writing', 0.5]]);
  assert.deepEqual(notes, ['Other versions than the tested ones: torch 2.14.0 (tested with 2.15.0).']);
  assert.match(
    await readFile(join(folder, 'words'), 'utf8'),
    /convert\.py reward --from .*checkpoint --out .*c --weights int4 --name n --max-tokens 128\n$/,
  );
});

test('a failure keeps its reason, and takes away the folder that it began', async () => {
  const out = join(folder, 'd');
  const begun = `mkdir -p "${out}"; touch "${out}/model.onnx"`;
  const python = await interpreter('refuses', READY, `${begun}; echo '{"error": "Expected one label"}' >&2; exit 1`);
  await assert.rejects(convertModel({ kind: 'reward', from: checkpoint, out, python }), {
    code: 'ERR_CONVERT',
    message: 'The checkpoint cannot be converted: Expected one label.',
  });
  assert.equal(await isThere(out), false);
  const crashes = await interpreter('crashes', READY, `${begun}; echo 'Traceback' >&2; echo 'Boom' >&2; exit 3`);
  await assert.rejects(convertModel({ kind: 'reward', from: checkpoint, out, python: crashes }), {
    code: 'ERR_CONVERT',
    message: 'The converter ended with exit code 3: Traceback | Boom',
  });
  await mkdir(out);
  await writeFile(join(out, 'mine'), '');
  await assert.rejects(convertModel({ kind: 'reward', from: checkpoint, out, python: crashes }), {
    code: 'ERR_CONVERT',
  });
  assert.deepEqual((await readdir(out)).sort(), ['mine', 'model.onnx'], 'a folder that was there before stays');
});

test('a signal ends the program and takes away what it began', async () => {
  const out = join(folder, 'e');
  const python = await interpreter(
    'slow',
    READY,
    `mkdir -p "${out}"; echo '{"step": "long", "fraction": 0}' >&2; exec sleep 60`,
  );
  const controller = new AbortController();
  const startedAt = performance.now();
  await assert.rejects(
    convertModel({
      kind: 'reward',
      from: checkpoint,
      out,
      python,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    }),
    { code: 'ERR_ABORTED' },
  );
  assert.ok(performance.now() - startedAt < 20_000, 'the program was waited for');
  assert.equal(await isThere(out), false);
  await assert.rejects(convertModel({ kind: 'reward', from: checkpoint, out, python, signal: AbortSignal.abort() }), {
    code: 'ERR_ABORTED',
  });
});

test('wrong options are refused before Python is looked for', async () => {
  await assert.rejects(convertModel({ kind: 'reward', from: join(folder, 'none'), out: 'x' }), {
    code: 'ERR_MODEL_NOT_FOUND',
    message: /none", received nothing there/,
  });
  await assert.rejects(convertModel({ kind: 'clip', from: checkpoint, out: 'x', weights: 'int4' }), {
    name: 'UsageError',
    code: 'ERR_INVALID_OPTION',
    message: /weights: expected fp32 or fp16 for CLIP, received int4/,
  });
  await assert.rejects(convertModel({ kind: 'reward', from: checkpoint, out: 'x', wieghts: 'int4' } as never), {
    code: 'ERR_UNKNOWN_OPTION',
    message: /Did you mean 'weights'/,
  });
});
