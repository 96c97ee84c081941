/** The example of the engine runs as it stands. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('examples/engine.ts prints five answers', () => {
  const script = fileURLToPath(new URL('../../examples/engine.ts', import.meta.url));
  const run = spawnSync(process.execPath, ['--import', 'tsx', script], { encoding: 'utf8', timeout: 60_000 });
  assert.equal(run.status, 0, run.stderr);
  const lines = run.stdout.trim().split('\n');
  assert.equal(lines.length, 6);
  for (const line of lines.slice(0, 5)) assert.match(line, /^ *-\d+\.\d {2}(end|length) +"/);
  const [, used, prompt] = /^(\d+) cells used for (\d+) prompt tokens/.exec(lines[5] ?? '') ?? [];
  assert.ok(Number(used) > Number(prompt) && Number(used) <= Number(prompt) + 5 * 39, lines[5]);
});
