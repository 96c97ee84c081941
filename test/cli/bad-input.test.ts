import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, cpSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import { assertRefused, main, packageRoot, run } from './command.js';

const miniature = join(packageRoot, 'models/miniature');
const picture = join(packageRoot, 'test/golden/evaluators/pictures/photo.png');
const tinyProjector = join(packageRoot, 'test/golden/engine/tiny-projector.gguf');
let folder = '';
const inFolder = (name: string) => join(folder, name);

/** The shipped models by path, with some parts exchanged; a part that is null is left out. */
function models(
  parts: Partial<Record<'language-model' | 'projector' | 'clip' | 'reward-model', string | null>>,
): string[] {
  const paths = {
    'language-model': join(miniature, 'language-model.gguf'),
    projector: join(miniature, 'projector.gguf'),
    clip: join(miniature, 'clip'),
    'reward-model': join(miniature, 'reward-model'),
    ...parts,
  };
  return Object.entries(paths).flatMap(([name, path]) => (path === null ? [] : [`--${name}`, path]));
}

/** A PNG of a few hundred bytes that says it has 60,000 x 60,000 pixels. */
function pixelBomb(): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(60_000, 0);
  header.writeUInt32BE(60_000, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(1000))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function truncated(source: string, target: string): void {
  const bytes = readFileSync(source);
  writeFileSync(target, bytes.subarray(0, Math.floor(bytes.length / 2)));
}

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'eta-vlm-bad-input-'));
});
after(() => rmSync(folder, { recursive: true }));

describe('pictures', () => {
  const ask = (file: string) => run(['ask', '--image', file, 'What is this?']);

  test('missing', async () => {
    const message = /"no-such\.png" was not found/;
    assertRefused(await ask('no-such.png'), { exitCode: 1, code: 'ERR_IMAGE_NOT_FOUND', message });
  });
  test('empty', async () => {
    writeFileSync(inFolder('empty.png'), '');
    assertRefused(await ask(inFolder('empty.png')), { exitCode: 1, code: 'ERR_IMAGE_UNREADABLE', message: /is empty/ });
  });
  test('truncated', async () => {
    truncated(picture, inFolder('half.png'));
    const message = /is damaged or incomplete/;
    assertRefused(await ask(inFolder('half.png')), { exitCode: 1, code: 'ERR_IMAGE_UNREADABLE', message });
  });
  test('a pixel bomb', async () => {
    writeFileSync(inFolder('bomb.png'), pixelBomb());
    const message = /60000 x 60000 pixels\. Expected at most 100000000 .*Or raise --max-pixels/;
    assertRefused(await ask(inFolder('bomb.png')), { exitCode: 1, code: 'ERR_IMAGE_TOO_LARGE', message });
  });
  test('no picture at all', async () => {
    const message = /is not a picture that can be read/;
    const file = join(packageRoot, 'package.json');
    assertRefused(await ask(file), { exitCode: 1, code: 'ERR_IMAGE_UNREADABLE', message });
  });
  test('a folder', async () => {
    assertRefused(await ask(folder), { exitCode: 1, code: 'ERR_IMAGE_UNREADABLE', message: /is a folder/ });
  });
  test('no name', async () => {
    assertRefused(await ask(''), { exitCode: 2, code: 'ERR_INVALID_OPTION', message: /Expected a file name/ });
  });
});

describe('models', () => {
  const ask = (parts: Parameters<typeof models>[0]) =>
    run(['ask', ...models(parts), '--image', picture, 'What is this?']);

  test('a language model that is not there', async () => {
    const message = /--language-model: expected the GGUF of the language model at .*no-such\.gguf"/;
    const ended = await ask({ 'language-model': inFolder('no-such.gguf') });
    assertRefused(ended, { exitCode: 1, code: 'ERR_MODEL_NOT_FOUND', message });
  });
  test('a GGUF of another kind', async () => {
    const ended = await ask({ 'language-model': join(miniature, 'projector.gguf') });
    assertRefused(ended, { exitCode: 1, code: 'ERR_MODEL_INVALID', message: /projector\.gguf/ });
  });
  test('a truncated GGUF', async () => {
    truncated(join(miniature, 'language-model.gguf'), inFolder('half.gguf'));
    const ended = await ask({ 'language-model': inFolder('half.gguf') });
    assertRefused(ended, { exitCode: 1, code: 'ERR_MODEL_INVALID', message: /half\.gguf/ });
  });
  test('a file that is no GGUF', async () => {
    copyFileSync(picture, inFolder('picture.gguf'));
    const ended = await ask({ 'language-model': inFolder('picture.gguf') });
    assertRefused(ended, { exitCode: 1, code: 'ERR_MODEL_INVALID', message: /picture\.gguf/ });
  });
  test('no projector', async () => {
    assertRefused(await ask({ projector: null }), { exitCode: 1, code: 'ERR_NO_PROJECTOR', message: /projector/ });
  });
  test('a projector of another model', async () => {
    const ended = await ask({ projector: tinyProjector });
    assertRefused(ended, { exitCode: 1, code: 'ERR_MODEL_MISMATCH', message: /tiny-projector\.gguf/ });
  });
  test('a truncated projector', async () => {
    truncated(join(miniature, 'projector.gguf'), inFolder('half-projector.gguf'));
    const ended = await ask({ projector: inFolder('half-projector.gguf') });
    assertRefused(ended, { exitCode: 1, code: 'ERR_MODEL_INVALID', message: /half-projector\.gguf/ });
  });
  test('a manifest with a wrong hash', async () => {
    for (const part of ['clip', 'reward-model'] as const) {
      cpSync(join(miniature, part), inFolder(part), { recursive: true });
      const manifest = readFileSync(inFolder(`${part}/manifest.json`), 'utf8');
      const changed = manifest.replace(/"sha256": ?"[0-9a-f]{64}"/, `"sha256": "${'0'.repeat(64)}"`);
      writeFileSync(inFolder(`${part}/manifest.json`), changed);
      const message = /expected the SHA-256 0{64}, received [0-9a-f]{64}/;
      assertRefused(await ask({ [part]: inFolder(part) }), { exitCode: 1, code: 'ERR_MODEL_INVALID', message });
    }
  });
  test('a folder without manifest', async () => {
    const message = /manifest\.json/;
    assertRefused(await ask({ clip: folder }), { exitCode: 1, code: 'ERR_MODEL_NOT_FOUND', message });
  });
  test('models that nobody knows', async () => {
    const ended = await run(['ask', '--models', 'no-such-models', 'hello']);
    assertRefused(ended, { exitCode: 1, code: 'ERR_MODEL_NOT_FOUND', message: /no-such-models/ });
  });
  test('a projector without a language model', async () => {
    const ended = await run(['ask', '--projector', tinyProjector, 'hello']);
    assertRefused(ended, { exitCode: 2, code: 'ERR_INVALID_OPTION', message: /Expected --language-model/ });
  });
});

describe('requests', () => {
  test('a prompt longer than the context', async () => {
    const ended = await run(['ask', '--image', picture, '-'], { stdin: 'What is this? '.repeat(20_000) });
    assertRefused(ended, { exitCode: 2, code: 'ERR_PROMPT_TOO_LONG', message: /tokens/ });
  });
  test('an empty prompt, and an empty stdin', async () => {
    const message = /Expected a question, received an empty text\. Ask something/;
    for (const question of ['', ' \n'])
      assertRefused(await run(['ask', question]), { exitCode: 2, code: 'ERR_INVALID_REQUEST', message });
    const stdin = ' \n';
    assertRefused(await run(['ask', '-'], { stdin }), {
      exitCode: 2,
      code: 'ERR_INVALID_REQUEST',
      message: /Expected the question on stdin/,
    });
  });

  const wrong: readonly (readonly [option: string, value: string, message: RegExp])[] = [
    ['--n', '0', /Expected a whole number from 1/],
    ['--n', '-3', /Expected a whole number from 1/],
    ['--n', '2.5', /Expected a whole number from 1/],
    ['--n', 'NaN', /Expected a whole number from 1/],
    ['--n', 'many', /Expected a whole number from 1/],
    ['--temperature', 'NaN', /Expected a number above 0/],
    ['--temperature', '0', /Expected a number above 0/],
    ['--temperature', '-1', /Expected a number above 0/],
    ['--temperature', 'Infinity', /Expected a number above 0/],
    ['--top-k', '-1', /Expected a whole number of at least 0/],
    ['--seed', '4294967296', /Expected a whole number from 0 to 4294967295/],
    ['--max-tokens', '0', /Expected a whole number of at least 1/],
    ['--threads', '0', /Expected a whole number from 1/],
    ['--gpu-layers', '-2', /Expected a whole number from -1/],
    ['--method', 'best', /Allowed choices are vanilla, pre, post, shallow, deep, eta/],
    ['--policy', 'papper', /Did you mean 'paper'\?/],
    ['--refusal', ' ', /Expected a text that is not empty/],
  ];
  for (const [option, value, message] of wrong) {
    test(`${option} ${JSON.stringify(value)}`, async () => {
      const ended = await run(['ask', option, value, 'hello']);
      assertRefused(ended, { exitCode: 2, code: 'ERR_INVALID_OPTION', message });
    });
  }

  test('a stdin of too much, of no text, and a folder', async () => {
    const script = `head -c 600000000 /dev/zero | "${process.execPath}" "${main}" ask -`;
    assert.match(
      spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stderr,
      /at most 67108864 bytes.*ERR_INVALID_REQUEST/,
    );
    const bytes = `printf 'a\\377' | "${process.execPath}" "${main}" ask -`;
    assert.match(spawnSync('bash', ['-c', bytes], { encoding: 'utf8' }).stderr, /Expected UTF-8.*ERR_INVALID_REQUEST/);
    for (const args of [
      ['ask', '-'],
      ['batch', '-', '--out', inFolder('folder.jsonl')],
    ]) {
      const fd = openSync(folder, 'r');
      const ended = await run(args, { streams: [fd, null, null] });
      closeSync(fd);
      assertRefused(ended, { exitCode: 1, code: 'ERR_FILE_READ', message: /received a folder/ });
    }
  });
  test('a trace file without a name', async () => {
    const ended = await run(['ask', '--trace', '', 'hello']);
    assert.equal(ended.stdout, '');
    assert.match(ended.stderr, /\(ERR_INVALID_OPTION\)\n$/);
  });

  test('a trace file that cannot be written', async () => {
    const ended = await run(['ask', '--trace', inFolder('no-folder/trace.json'), 'hello']);
    assertRefused(ended, { exitCode: 2, code: 'ERR_INVALID_OPTION', message: /--trace: expected a file in a folder/ });
  });
});
