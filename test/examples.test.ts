/** Every example runs as it stands and says something. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));

for (const file of readdirSync(`${root}examples`).filter((name) => name.endsWith('.ts'))) {
  test(`examples/${file}`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', `examples/${file}`], {
      cwd: root,
      encoding: 'utf8',
      timeout: 120_000,
    });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.notEqual(stdout.trim(), '');
  });
}
