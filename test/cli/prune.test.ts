/** What `eta-vlm prune` takes away, in a copy: never here. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { platformBinaries, prune } from '../../src/cli/prune.js';
import { EtaError } from '../../src/errors.js';
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

/** Code and message of what is thrown by somebody whom these folders are closed to. */
function asNobody(root: string, closed: readonly string[], body: () => unknown): string {
  const NOBODY = 65_534;
  const isRoot = process.geteuid?.() === 0;
  for (const path of isRoot
    ? [scratch, root, ...readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => join(root, name))]
    : [])
    chownSync(path, NOBODY, NOBODY);
  for (const path of closed) chmodSync(path, 0);
  try {
    if (isRoot) process.seteuid?.(NOBODY);
    body();
  } catch (error) {
    assert.ok(error instanceof EtaError, String(error));
    return `${error.code}: ${error.message}`;
  } finally {
    if (isRoot) process.seteuid?.(0);
    for (const path of closed) chmodSync(path, 0o755);
  }
  return assert.fail('nothing was thrown');
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

test('where ours holds nothing, or cannot be read, nothing goes', { skip: process.platform === 'win32' }, () => {
  const root = runtime('hollow', ['plan9/x64', OURS]);
  const ours = join(root, 'bin/napi-v6', OURS);
  truncateSync(join(ours, 'onnxruntime_binding.node'), 0);
  assert.throws(() => pruned(root, false), { code: 'ERR_EVALUATOR', message: /binaries for .* nothing was touched/ });
  rmSync(join(ours, 'onnxruntime_binding.node'));
  assert.throws(() => pruned(root, false), { code: 'ERR_EVALUATOR', message: /binaries for .* nothing was touched/ });
  for (const closed of [ours, dirname(ours), dirname(dirname(ours)), join(root, 'bin')]) {
    const said = asNobody(root, [closed], () => pruned(root, false));
    assert.match(
      said,
      /^ERR_FILE_READ: Expected to read ".*", received EACCES: nothing was touched\. Check its permissions/,
    );
    assert.ok(said.includes(`"${closed}"`), said);
  }
  assert.ok(existsSync(join(root, 'bin/napi-v6/plan9/x64')));
});

test('links that lead nowhere are taken away with the rest, and what they lead to stays', () => {
  const root = runtime('links', ['plan9/x64', OURS]);
  const kept = join(scratch, 'kept');
  mkdirSync(kept);
  writeFileSync(join(kept, 'file'), '0123456789');
  symlinkSync(join(scratch, 'nowhere'), join(root, 'bin/napi-v6/plan9/x64/libonnxruntime.so'));
  symlinkSync(kept, join(root, 'bin/napi-v6/plan9/x64/folder'));
  assert.match(pruned(root, false), /\n10 B freed\.\n$/);
  assert.ok(existsSync(join(kept, 'file')));
});

test('what cannot be read or taken away is told after the others are gone', {
  skip: process.platform === 'win32',
}, () => {
  const root = runtime('closed', ['plan9/arm64', 'plan9/x64', 'plan10/x64', OURS]);
  const [unread, kept] = [join(root, 'bin/napi-v6/plan10'), join(root, 'bin/napi-v6/plan9/arm64')];
  let lines = '';
  const planned = asNobody(root, [unread], () => prune({ dryRun: true }, { root, say: (text) => (lines += text) }));
  assert.match(lines, /\n20 B would be freed; nothing was touched\.\n$/);
  assert.match(planned, /^ERR_FILE_READ: Expected to read ".*plan10", received EACCES: what it holds is not counted/);
  lines = '';
  const said = asNobody(root, [unread, kept], () => prune({}, { root, say: (text) => (lines += text) }));
  assert.match(lines, /^ +10 B {2}.*plan9\/x64\n10 B freed\.\n$/);
  assert.match(
    said,
    /^ERR_FILE_WRITE: Expected to take away ".*plan10" \(EACCES\), ".*plan9\/arm64" \(EACCES\), but the system refuses: the others are gone/,
  );
  assert.deepEqual(
    [unread, kept, join(root, 'bin/napi-v6/plan9/x64')].map((path) => existsSync(path)),
    [true, true, false],
  );
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
