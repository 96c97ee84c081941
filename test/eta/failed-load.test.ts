/** Every failed load leaves a process that goes on, and ends by itself with 0 where its caller handles the error: no abort, no hang. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const WAIT_MS = 120_000;
const child = fileURLToPath(new URL('./failed-load-child.mjs', import.meta.url));
const miniature = fileURLToPath(new URL('../../models/miniature', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'eta-vlm-failed-'));
after(() => rmSync(scratch, { recursive: true }));

let count = 0;

/** The miniature with one file changed. */
function changed(path: string, change: (place: string) => void): string {
  const folder = join(scratch, `${++count}`);
  for (const part of ['language-model.gguf', 'projector.gguf', 'clip', 'reward-model'])
    cpSync(join(miniature, part), join(folder, part), { recursive: true });
  change(join(folder, path));
  return folder;
}

const cut = (place: string) => truncateSync(place, 20_000);

/** A tensor's name, so that the head is whole and the graph cannot be built. */
function misnamed(place: string): void {
  const bytes = readFileSync(place);
  const at = bytes.indexOf('blk.0.attn_q.weight');
  bytes.write('blk.0.attn_x.weight', at);
  writeFileSync(place, bytes);
}

/** Of the tokenizer, with its size in the manifest. */
function damagedTokenizer(place: string): void {
  const text = readFileSync(place, 'utf8').replace('","', '",{"');
  writeFileSync(place, text);
  const path = join(place, '..', 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  manifest.files.tokenizer.sizeBytes = Buffer.byteLength(text);
  writeFileSync(path, JSON.stringify(manifest));
}

type Options = Record<string, unknown>;
const CASES: Readonly<Record<string, readonly [options: () => Options, said: RegExp]>> = {
  'a language model that is cut off': [
    () => ({ models: changed('language-model.gguf', cut) }),
    /^ModelError ERR_MODEL_INVALID$/,
  ],
  'a language model without a tensor': [
    () => ({ models: changed('language-model.gguf', misnamed) }),
    /^ModelError ERR_MODEL_INVALID$/,
  ],
  'a projector that is cut off': [
    () => ({ models: changed('projector.gguf', cut) }),
    /^ModelError ERR_MODEL_(INVALID|MISMATCH)$/,
  ],
  'a graph that is cut off': [
    () => ({ models: changed('clip/vision_model.onnx', cut), verifyHashes: false }),
    /^ModelError ERR_MODEL_INVALID$/,
  ],
  'a tokenizer that is none': [
    () => ({ models: changed('reward-model/tokenizer.json', damagedTokenizer), verifyHashes: false }),
    /^ModelError ERR_MODEL_INVALID$/,
  ],
  'a file that is not there': [
    () => ({ models: changed('language-model.gguf', (place) => rmSync(place)) }),
    /^ModelError ERR_MODEL_NOT_FOUND$/,
  ],
  'more memory than there is': [() => ({ contextSize: 2 ** 30 }), /^ModelError ERR_MEMORY$/],
  'a cache that there is no memory for': [
    () => ({ contextSize: 2 ** 28, checkMemory: false }),
    /^(EngineError ERR_CONTEXT|ModelError ERR_MEMORY)$/,
  ],
  'a device that is not there': [() => ({ device: 'Vulkan7' }), /^UsageError ERR_DEVICE_NOT_FOUND$/],
  'a wrong option': [() => ({ batchSize: 0 }), /^UsageError ERR_INVALID_OPTION$/],
  'a signal amid it': [() => ({ abortMs: 60 }), /^AbortError ERR_ABORTED$|^loaded$/],
};

function ended(
  options: Options,
): Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }> {
  const process_ = spawn(process.execPath, [child, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  process_.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  process_.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const guard = setTimeout(() => process_.kill('SIGKILL'), WAIT_MS);
  return new Promise((resolve) => {
    process_.once('close', (code, signal) => {
      clearTimeout(guard);
      resolve({ code, signal, stdout, stderr });
    });
  });
}

for (const [name, [options, said]] of Object.entries(CASES)) {
  test(`${name}: the process ends by itself`, async () => {
    const { stdout, ...rest } = await ended(options());
    assert.deepEqual(rest, { code: 0, signal: null, stderr: '' });
    assert.match(stdout.trimEnd(), said);
  });
}
