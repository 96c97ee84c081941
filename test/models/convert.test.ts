/** `models convert` up to the door of Python: what is said when it is missing, and what is kept of a failure. */
import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { convertModel } from '../../src/converter/index.js';

const golden = fileURLToPath(new URL('../golden/', import.meta.url));
/** A tiny Qwen3 in F32, and what the config.json of its checkpoint says. */
const trunk = join(golden, 'reward-trunk/scalar/trunk.gguf');
const TRUNK_CONFIG = {
  model_type: 'qwen3',
  num_hidden_layers: 2,
  hidden_size: 32,
  intermediate_size: 64,
  num_attention_heads: 4,
  vocab_size: 400,
};

let folder: string;
let checkpoint: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eta-convert-'));
  checkpoint = await checkpointOf('checkpoint', TRUNK_CONFIG);
});
after(() => rm(folder, { recursive: true }));

/** An interpreter that answers `check` with `check`, and a conversion with `body`, a shell script. */
async function interpreter(name: string, check: object, body: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\nif [ "$2" = check ]; then echo '${JSON.stringify(check)}'; exit 0; fi\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

/** A checkpoint's folder as far as it is read here. */
async function checkpointOf(name: string, config: object): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  await writeFile(join(path, 'config.json'), JSON.stringify(config));
  return path;
}

/** The trunk with one thing changed in its head, which is all that is read of it. */
async function changedTrunk(name: string, change: (bytes: Buffer) => Buffer): Promise<string> {
  const path = join(folder, `${name}.gguf`);
  await writeFile(path, change(Buffer.from(await readFile(trunk))));
  return path;
}

/** Gives a matrix another number format: the type stands behind name, count of dimensions and two dimensions. */
const retyped = (tensor: string, type: number) => (bytes: Buffer) => {
  const at = bytes.indexOf(tensor);
  assert.ok(at > 0 && bytes.readUInt32LE(at + tensor.length) === 2, `${tensor}, a matrix`);
  bytes.writeUInt32LE(type, at + tensor.length + 4 + 2 * 8);
  return bytes;
};

/** Puts `split.count` in front of the first key. */
const inParts = (count: number) => (bytes: Buffer) => {
  const name = Buffer.from('split.count');
  const added = Buffer.alloc(8 + name.length + 4 + 2);
  added.writeBigUInt64LE(BigInt(name.length), 0);
  name.copy(added, 8);
  added.writeUInt32LE(2, 8 + name.length); // 16 bits without a sign
  added.writeUInt16LE(count, 8 + name.length + 4);
  bytes.writeBigUInt64LE(bytes.readBigUInt64LE(16) + 1n, 16);
  return Buffer.concat([bytes.subarray(0, 24), added, bytes.subarray(24)]);
};

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
    label: 'safe',
    python,
    onProgress: (step, fraction) => steps.push([step, fraction]),
    onNote: (text) => notes.push(text),
  });
  assert.deepEqual(steps, [['writing', 0.5]]);
  assert.deepEqual(notes, ['Other versions than the tested ones: torch 2.14.0 (tested with 2.15.0).']);
  assert.match(
    await readFile(join(folder, 'words'), 'utf8'),
    /convert\.py reward --from .*checkpoint --out .*c --weights int4 --name n --max-tokens 128 --label safe\n$/,
  );
});

test("Python's libraries fetch and report nothing, whatever the user's own settings", async () => {
  const names = [
    'HF_HUB_OFFLINE',
    'TRANSFORMERS_OFFLINE',
    'HF_HUB_DISABLE_TELEMETRY',
    'ORT_DISABLE_TELEMETRY',
    'DO_NOT_TRACK',
  ];
  const before = names.map((name) => process.env[name]);
  const told = join(folder, 'told');
  const path = join(folder, 'tells');
  const said = names.map((name) => `$${name}`).join(' ');
  await writeFile(
    path,
    `#!/bin/sh\necho "${said} $KEPT" >> "${told}"\n[ "$2" = check ] && echo '${JSON.stringify(READY)}'\nexit 0\n`,
  );
  await chmod(path, 0o755);
  for (const name of names) process.env[name] = '0';
  process.env['KEPT'] = 'kept';
  try {
    await convertModel({ kind: 'clip', from: checkpoint, out: join(folder, 'h'), python: path });
  } finally {
    for (const [at, name] of names.entries()) {
      if (before[at] === undefined) delete process.env[name];
      else process.env[name] = before[at];
    }
    delete process.env['KEPT'];
  }
  assert.equal(await readFile(told, 'utf8'), '1 1 1 1 1 kept\n'.repeat(2)); // the check, and the conversion
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
  await assert.rejects(convertModel({ kind: 'reward', from: checkpoint, out, python: crashes }), {
    code: 'ERR_CONVERT',
  });
  assert.deepEqual(await readdir(out), [], 'a folder that was empty is empty');
  await writeFile(join(out, 'mine'), '');
  await assert.rejects(convertModel({ kind: 'reward', from: checkpoint, out, python: crashes }), {
    code: 'ERR_CONVERT',
  });
  assert.deepEqual((await readdir(out)).sort(), ['mine', 'model.onnx'], 'a folder that was there before stays');
});

test('what is no folder, or cannot be read as one, is refused before anything runs, and stays', async () => {
  const ran = join(folder, 'ran');
  const python = await interpreter('fails', READY, `touch "${ran}"; exit 1`);
  const at = (name: string) => join(folder, `out-${name}`);
  await writeFile(at('file'), 'mine');
  await symlink('out-circle', at('circle'));
  await symlink('out-nowhere', at('dangling'));
  for (const name of ['file', 'file/below', 'circle', 'dangling']) {
    await assert.rejects(convertModel({ kind: 'clip', from: checkpoint, out: at(name), python }), {
      name: 'UsageError',
      code: 'ERR_INVALID_OPTION',
      message: /^out: expected a folder that is new or empty, received ".*", which is (none|a link)/,
    });
  }
  await assert.rejects(convertModel({ kind: 'clip', from: checkpoint, out: at('x'.repeat(300)), python }), {
    name: 'FileError',
    code: 'ERR_FILE_READ',
    message: /ENAMETOOLONG/,
  });
  assert.equal(await isThere(ran), false);
  assert.equal(await readFile(at('file'), 'utf8'), 'mine');
  for (const name of ['circle', 'dangling']) assert.ok((await lstat(at(name))).isSymbolicLink(), name);
});

test('a folder that may not be read is refused, and what it holds stays', {
  skip: process.getuid === undefined,
}, async () => {
  const out = join(folder, 'out-shut');
  await mkdir(out);
  await writeFile(join(out, 'mine'), '');
  await chmod(folder, 0o777);
  await chmod(out, 0o333);
  const python = await interpreter('refuses-too', READY, 'exit 1');
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534); // root may read everything
  try {
    await assert.rejects(convertModel({ kind: 'clip', from: checkpoint, out, python }), {
      name: 'FileError',
      code: 'ERR_FILE_READ',
      message: /EACCES/,
    });
  } finally {
    if (isRoot) process.seteuid?.(0);
    await chmod(out, 0o755).catch(() => undefined);
  }
  assert.deepEqual(await readdir(out), ['mine']);
});

test('what cannot be taken away does not hide why the conversion failed', {
  skip: process.platform === 'win32',
}, async () => {
  const out = join(folder, 'out-gone');
  await mkdir(out);
  const python = await interpreter('removes', READY, `rmdir "${out}"; echo '{"error": "the reason"}' >&2; exit 1`);
  await assert.rejects(convertModel({ kind: 'clip', from: checkpoint, out, python }), {
    code: 'ERR_CONVERT',
    message: /the reason/,
  });
});

test('a disk that is full is told as such', async () => {
  const said = `echo '{"error": "No space left on device", "unwritten": "ENOSPC"}' >&2; exit 1`;
  const python = await interpreter('full', READY, said);
  await assert.rejects(convertModel({ kind: 'clip', from: checkpoint, out: join(folder, 'full-disk'), python }), {
    name: 'FileError',
    code: 'ERR_FILE_WRITE',
    message: /ENOSPC: No space left on device/,
  });
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

test('a trunk reaches the converter with its number format, in place of the weights', async () => {
  const python = await interpreter('splits', READY, `echo "$@" > "${folder}/words"; echo '{"done": "x"}' >&2`);
  const wordsFor = async (path: string, more: object = {}) => {
    await convertModel({ kind: 'reward', from: checkpoint, out: join(folder, 'f'), trunk: path, python, ...more });
    return (await readFile(join(folder, 'words'), 'utf8')).replace(/^.*--out \S+ /s, '').trim();
  };
  assert.equal(await wordsFor(trunk), `--trunk ${trunk} --trunk-type f32`);
  assert.equal(
    await wordsFor(trunk, { tolerance: 0.25, name: 'n', maxTokens: 128 }),
    `--trunk ${trunk} --trunk-type f32 --tolerance 0.25 --name n --max-tokens 128`,
  );
  const matrix = 'blk.1.ffn_up.weight';
  const rows = { half: [1, 'f16'], brain: [30, 'bf16'], eight: [8, 'q8_0'], six: [14, 'other'] } as const;
  for (const [name, [type, expected]] of Object.entries(rows)) {
    const path = await changedTrunk(name, retyped(matrix, type));
    assert.equal(await wordsFor(path), `--trunk ${path} --trunk-type ${expected}`, 'the coarsest counts');
  }
});

test('a trunk is looked at before Python is: what it is, and whether it is of this checkpoint', async () => {
  const python = await interpreter('untouched', READY, `touch "${folder}/began"`);
  const refused = (path: string, error: object, from = checkpoint) =>
    assert.rejects(convertModel({ kind: 'reward', from, out: join(folder, 'g'), trunk: path, python }), {
      name: 'ModelError',
      ...error,
    });
  await refused(join(folder, 'none.gguf'), { code: 'ERR_MODEL_NOT_FOUND', message: /none\.gguf, received nothing/ });
  await refused(folder, { code: 'ERR_MODEL_NOT_FOUND', message: /a GGUF file, at .*, received something else/ });
  await refused(join(checkpoint, 'config.json'), { code: 'ERR_MODEL_INVALID', message: /Expected a GGUF file/ });
  const cut = await changedTrunk('cut', (bytes) => bytes.subarray(0, bytes.length >> 1));
  await refused(cut, { code: 'ERR_MODEL_INVALID', message: /or a part of one/ });
  const part = await changedTrunk('part', inParts(3));
  await refused(part, { code: 'ERR_MODEL_INVALID', message: /a part of 3 in .*llama-gguf-split --merge/ });
  await refused(join(golden, 'reward-trunk/gated/trunk.gguf'), {
    code: 'ERR_MODEL_MISMATCH',
    message: /layers \(architecture qwen3\), received llama in .*gated.*Name the one/,
  });
  await refused(join(golden, 'engine/tiny-projector.gguf'), {
    code: 'ERR_MODEL_MISMATCH',
    message: /architecture qwen3\), received clip in/,
  });
  for (const [field, name] of [
    ['num_hidden_layers', 'layers'],
    ['hidden_size', 'hidden size'],
    ['intermediate_size', 'feed-forward size'],
    ['num_attention_heads', 'attention heads'],
    ['vocab_size', 'vocabulary'],
  ] as const) {
    const was = TRUNK_CONFIG[field];
    const other = await checkpointOf(field, { ...TRUNK_CONFIG, [field]: was + 1 });
    const message = new RegExp(`layers \\(${name} ${was + 1}\\), received ${name} ${was} in `);
    await refused(trunk, { code: 'ERR_MODEL_MISMATCH', message }, other);
  }
  const larger = await checkpointOf('larger', { ...TRUNK_CONFIG, num_hidden_layers: 3, vocab_size: 401 });
  const both = /\(layers 3, vocabulary 401\), received layers 2, vocabulary 400 in/;
  await refused(trunk, { code: 'ERR_MODEL_MISMATCH', message: both }, larger);
  const encoder = await checkpointOf('encoder', { ...TRUNK_CONFIG, model_type: 'deberta-v2' });
  await refused(trunk, { code: 'ERR_CONVERT', message: /\(llama, qwen2, qwen3\).*received deberta-v2/ }, encoder);
  const bare = join(folder, 'bare');
  await mkdir(bare);
  await refused(trunk, { code: 'ERR_MODEL_NOT_FOUND', message: /config\.json, found none at .*bare/ }, bare);
  await writeFile(join(bare, 'config.json'), '[1]');
  await refused(trunk, { code: 'ERR_MODEL_INVALID', message: /with its model_type in .*bare/ }, bare);
  assert.equal(await isThere(join(folder, 'began')), false);
});

test('the caller’s own look at a trunk comes before Python too', async () => {
  const python = await interpreter('unneeded', READY, `touch "${folder}/began"`);
  const looked: string[] = [];
  const checkTrunk = async (path: string) => {
    looked.push(path);
    throw new RangeError('not this one');
  };
  const out = join(folder, 'h');
  await assert.rejects(convertModel({ kind: 'reward', from: checkpoint, out, trunk, python, checkTrunk }), RangeError);
  assert.deepEqual(looked, [trunk]);
  assert.equal(await isThere(join(folder, 'began')), false);
  await convertModel({ kind: 'reward', from: checkpoint, out, python, checkTrunk });
  assert.deepEqual(
    [looked.length, await isThere(join(folder, 'began'))],
    [1, true],
    'without a trunk nothing to look at',
  );
});

test('options that exclude a trunk, or need one, are refused', async () => {
  const refused = (more: object, message: RegExp) =>
    assert.rejects(convertModel({ kind: 'reward', from: checkpoint, out: 'x', ...more }), {
      name: 'UsageError',
      code: 'ERR_INVALID_OPTION',
      message,
    });
  await refused({ kind: 'clip', trunk }, /trunk: expected none for CLIP/);
  await refused({ trunk, weights: 'fp32' }, /weights: expected none beside a trunk, received fp32\. The GGUF has/);
  await refused({ trunk, externalAbove: 0 }, /externalAbove: expected none beside a trunk/);
  await refused({ tolerance: 0.1 }, /tolerance: expected a trunk beside it, received none/);
  await refused({ kind: 'clip', label: 'safe' }, /label: expected none for CLIP/);
  await refused({ trunk, tolerance: 0 }, /tolerance: expected a number above 0/);
});
