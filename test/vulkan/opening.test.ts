/** The first to come opens the device; who comes meanwhile waits, and a device that does not open is an error for all. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { onDevice } from '../device.js';

const skip = !onDevice && 'runs on a Vulkan device: npm run test:vulkan';
const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-opening-'));
after(() => rmSync(folder, { recursive: true }));

/** @param fault milliseconds that opening takes longer, below 0: it fails; or what the device lacks */
async function opening(
  fault: number | 'no 16 bit',
): Promise<Readonly<Record<'first' | 'again' | 'onProcessor', string[]>>> {
  const control = join(folder, `${fault}`);
  writeFileSync(control, new Uint8Array(4096));
  const program = fileURLToPath(new URL('opening.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program, `${fault}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ETA_VLM_PLANTED_DEVICE: control },
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const [code, signal] = await once(child, 'close');
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  return JSON.parse(stdout);
}

test('three models at once, and a device that opens slowly', { skip }, async () => {
  assert.deepEqual(await opening(500), {
    first: ['there', 'there', 'there'],
    again: ['there'],
    onProcessor: ['there'],
  });
});

test('a device that does not open: an error each time, and the processor goes on', { skip }, async () => {
  const { first, again, onProcessor } = await opening(-1);
  assert.equal(first.length, 3);
  for (const said of [...first, ...again])
    assert.match(
      said,
      /^ERR_DEVICE_NOT_FOUND: .*Cannot open the device Vulkan0: .*ErrorInitializationFailed.*\(device: 'CPU'\)/,
    );
  assert.deepEqual(onProcessor, ['there']);
});

test('a device without 16-bit storage: an error each time, the processor goes on, and the process ends by itself', {
  skip,
}, async () => {
  const { first, again, onProcessor } = await opening('no 16 bit');
  for (const said of [...first, ...again])
    assert.match(
      said,
      /^ERR_DEVICE_NOT_FOUND: .*Cannot open the device Vulkan0: Unsupported device\. .*\(device: 'CPU'\)/,
    );
  assert.deepEqual(onProcessor, ['there']);
});
