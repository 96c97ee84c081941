/** What CI and a signal make of the tests in roots of their own. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'eta-could-not-run-'));
after(() => rmSync(scratch, { recursive: true }));

test('an installation that cannot be tried here, and a device that cannot be had, end with 3', {
  skip: process.platform === 'win32' && 'neither is tried on Windows',
}, () => {
  // Without debootstrap, unshare and, elsewhere, without the rights of root.
  for (const script of ['test/install/run.mjs', 'test/vulkan/run.mjs']) {
    const { status, stderr } = spawnSync(process.execPath, [path(script)], {
      encoding: 'utf8',
      env: { PATH: scratch, ETA_VLM_VULKAN_ROOT: join(scratch, 'none'), TMPDIR: scratch },
    });
    assert.equal(status, 3, `${script}: ${stderr}`);
    assert.match(stderr, /was not tried: it|did not run.*: it needs|was not tried: debootstrap/);
  }
});

test('CI goes on at 3 and ends at any other status', { skip: process.platform === 'win32' && 'it runs bash' }, () => {
  const shell = /^optional\(\) \{\n[\s\S]*?^\}\n/m.exec(readFileSync(path('.ci/run'), 'utf8'))?.[0];
  assert.ok(shell !== undefined);
  for (const [status, expected] of [
    [0, 0],
    [3, 0],
    [1, 1],
    [130, 130],
  ] as const) {
    const command = `${shell}optional bash -c "exit ${status}"`;
    const ended: { status: number | null; stderr: string } = spawnSync('bash', ['-euc', command], { encoding: 'utf8' });
    assert.equal(ended.status, expected);
    assert.equal(ended.stderr.includes('goes on without'), status === 3);
  }
});

test('a signal ends what a test has started, cleans, and ends with 130', {
  skip: process.platform === 'win32' && 'Windows has no groups of processes',
}, async () => {
  const [pidFile, left] = [join(scratch, 'pid'), join(scratch, 'left')];
  writeFileSync(left, '');
  // The grandchild is what a debootstrap leaves.
  const program = `import { rmSync } from 'node:fs';
import { cleanAtSignals, runProgram } from ${JSON.stringify(new URL('../install/processes.mjs', import.meta.url).href)};
cleanAtSignals(() => rmSync(${JSON.stringify(left)}));
const started = runProgram('sh', ['-c', ${JSON.stringify(`sleep 60 & echo $! > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; wait`)}]);
await started;
console.log('went on');`;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    writeFileSync(left, '');
    rmSync(pidFile, { force: true });
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stdout.on('data', (text: Buffer) => (said += text));
    child.stderr.on('data', (text: Buffer) => (said += text));
    while (!existsSync(pidFile) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill(signal);
    const [status] = await once(child, 'close');
    assert.equal(status, 130, said);
    assert.equal(said, '');
    assert.equal(existsSync(left), false);
    // Nobody may have collected it yet.
    const state = spawnSync('ps', ['-o', 'stat=', '-p', readFileSync(pidFile, 'utf8').trim()], { encoding: 'utf8' });
    assert.match(state.stdout.trim(), /^(Z.*)?$/);
  }
});
