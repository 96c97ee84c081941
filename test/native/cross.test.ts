import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../native/cross.mjs', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'eta-cross-'));
after(() => rmSync(scratch, { recursive: true }));

function cross(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ETA_VLM_CACHE: join(scratch, 'cache'), ...env },
  });
}

test('a platform that it does not know ends it with 2, and those that it knows are named', () => {
  for (const args of [[], ['linux-x64'], ['linux-arm64', 'win32-x64'], ['linux-arm64', '--cpu'], ['constructor']]) {
    const { status, stdout, stderr } = cross(args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /Expected one of linux-arm64 \| win32-x64 \| darwin-arm64, received "[\s\S]*Usage/);
  }
  assert.match(cross(['--help']).stdout, /--without-cpu/);
});

test('without zig, or with one that does not run, it says how to get it, before anything is made', () => {
  const none = cross(['linux-arm64'], { PATH: scratch, ZIG: '' });
  assert.equal(none.status, 1);
  assert.match(none.stderr, /^Expected zig to compile for another platform\. Install it \(pip install ziglang/);
  const broken = cross(['linux-arm64'], { PATH: scratch, ZIG: join(scratch, 'zig') });
  assert.equal(broken.status, 1);
  assert.match(broken.stderr, /but .*zig does not run\. Install it/);
  assert.equal(existsSync(join(scratch, 'cache')), false);
});
