/** What `eta-vlm prune` takes away, in a copy: never here. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { platformBinaries, prune } from '../../src/cli/prune.js';
import { run } from './command.js';

const scratch = mkdtempSync(join(tmpdir(), 'eta-prune-'));
after(() => rmSync(scratch, { recursive: true }));

const OURS = `${process.platform}/${process.arch}`;

function runtime(name: string, platforms: readonly string[]): string {
  const root = join(scratch, name);
  for (const path of [
    ...platforms.map((platform) => `bin/napi-v6/${platform}/onnxruntime_binding.node`),
    'lib/index.js',
  ]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '0123456789');
  }
  return root;
}

/** What prune prints over a copy. */
function pruned(root: string, dryRun: boolean): string {
  let said = '';
  assert.equal(prune({ dryRun }, { root, say: (text) => (said += text) }), 0);
  return said;
}

test('binaries of other platforms go, ours and everything else stay; once more frees nothing', () => {
  const root = runtime('all', ['plan9/x64', 'plan9/arm64', OURS]);
  const before = readdirSync(root, { recursive: true });
  const planned = pruned(root, true);
  assert.match(planned, /^ +10 B {2}.*plan9\/x64\n/m);
  assert.match(planned, /\n20 B would be freed; nothing was touched\.\n$/);
  assert.deepEqual(readdirSync(root, { recursive: true }), before);
  assert.match(pruned(root, false), /\n20 B freed\.\n$/);
  for (const platform of ['plan9/x64', 'plan9/arm64'])
    assert.equal(existsSync(join(root, 'bin/napi-v6', platform)), false, platform);
  for (const path of [`bin/napi-v6/${OURS}/onnxruntime_binding.node`, 'lib/index.js'])
    assert.ok(existsSync(join(root, path)), path);
  assert.equal(pruned(root, false), 'Nothing of other platforms is there.\n');
});

test('where ours are not found nothing goes', () => {
  const root = runtime('foreign', ['plan9/x64']);
  assert.throws(() => pruned(root, false), { code: 'ERR_EVALUATOR', message: /binaries for .* nothing was touched/ });
  assert.ok(existsSync(join(root, 'bin/napi-v6/plan9/x64')));
});

test('the command finds the package that is installed here', async () => {
  const { code, stdout } = await run(['prune', '--dry-run']);
  assert.equal(code, 0);
  assert.match(stdout, /would be freed; nothing was touched\.\n$|^Nothing of other platforms/);
  assert.ok(!stdout.includes(`/${OURS}\n`), stdout);
});

test('folders of every version of Node-API are seen', () => {
  const root = runtime('versions', [OURS]);
  mkdirSync(join(root, 'bin/napi-v9/plan9/x64'), { recursive: true });
  assert.deepEqual(
    platformBinaries(root, OURS).map(({ isOurs }) => isOurs),
    [true, false],
  );
});
