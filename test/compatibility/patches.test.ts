/** Corrections of llama.cpp's source: each says why, fits the pinned tag, and changes what is built. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../native/patches/', import.meta.url));
const builder = new URL('../../native/build/patches.mjs', import.meta.url);
const patches = readdirSync(folder).filter((name) => name.endsWith('.patch'));
const scratch = mkdtempSync(join(tmpdir(), 'eta-patches-'));
after(() => rmSync(scratch, { recursive: true }));

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

test('each patch says why, and whether upstream knows', () => {
  assert.ok(patches.length > 0, 'there are patches');
  for (const name of patches) {
    const [head = ''] = readFileSync(join(folder, name), 'utf8').split('\ndiff --git ');
    assert.match(head, /Proof:\s+test\/(compatibility|fuzz|native|vulkan)/, name);
    assert.ok(head.length > 200, `${name} has a reason`);
  }
});

test('all of them fit the source of the tag, in order, and change it', () => {
  const main = createRequire(import.meta.url).resolve('node-llama-cpp');
  const bundle = join(dirname(dirname(main)), 'llama', 'gitRelease.bundle');
  const source = join(scratch, 'source');
  run('git', ['-c', 'advice.detachedHead=false', 'clone', '--quiet', bundle, source]);
  const apply = `import { applyPatches } from ${JSON.stringify(builder.href)};
    await applyPatches(${JSON.stringify(source)}, ${JSON.stringify(join(scratch, 'log'))});`;
  run(process.execPath, ['--input-type=module', '--eval', apply]);
  const changed = run('git', ['-C', source, 'diff', '--name-only']).trim().split('\n');
  assert.deepEqual(changed, [
    ...['common.h', 'ggml-cpu.c', 'ops.cpp', 'simd-mappings.h'].map((name) => `ggml/src/ggml-cpu/${name}`),
    ...['llama-kv-cache.cpp', 'llama-kv-cells.h'].map((name) => `src/${name}`),
    'tools/mtmd/clip-graph.h',
    'tools/mtmd/clip.cpp',
    ...[
      'conformer',
      'deepseekocr',
      'deepseekocr2',
      'gemma4uv',
      'gemma4v',
      'hunyuanvl',
      'internvl',
      'llava',
      'mimo-audio',
      'nemotron-v2-vl',
      'pixtral',
      'pockettts-gen',
      'qwen3a',
      'qwen3tts-gen',
      'whisper-enc',
      'yasa2',
    ].map((name) => `tools/mtmd/models/${name}.cpp`),
  ]);
});

test('libraries that were built without them, or with others, are not taken from the cache', () => {
  const hash = (alter: string) =>
    run(process.execPath, [
      '--input-type=module',
      '--eval',
      `import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module';
       const read = fs.readFileSync;
       fs.readFileSync = (file, ...rest) => { const text = read(file, ...rest); return ${alter}; };
       syncBuiltinESMExports();
       const { patchesHash } = await import(${JSON.stringify(builder.href)});
       process.stdout.write(patchesHash());`,
    ]);
  const own = hash('text');
  assert.match(own, /^[0-9a-f]{64}$/);
  assert.notEqual(hash('text + "x"'), own);
  assert.equal(hash('String(text).replaceAll("\\n", "\\r\\n")'), own, 'line ends do not count');
});
