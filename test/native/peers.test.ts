/** llama.cpp's own programs: found where they are, and otherwise said how to make them. Building them takes minutes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fasterRow, inTurn, ratioRow } from '../../bench/peers/comparison.js';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'eta-peers-'));
after(() => rmSync(scratch, { recursive: true }));

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, ETA_VLM_CACHE: join(scratch, 'cache'), ETA_VLM_PEERS: '', ...env },
  });
}

test('an argument that the builder does not know ends it with 2', () => {
  for (const args of [['--cuda'], ['--find', 'here']]) {
    const { status, stdout, stderr } = run([at('native/peers.mjs'), ...args]);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /Expected --find or nothing[\s\S]*Usage/);
  }
});

test('where they are not built, builder and benches end with 3 and name the command; nothing is made', () => {
  for (const args of [
    [at('native/peers.mjs'), '--find'],
    ['--import', 'tsx', at('bench/peers/all.ts'), '--only', 'ask'],
  ]) {
    const { status, stderr } = run(args);
    assert.equal(status, 3, stderr);
    assert.match(stderr, /npm run bench:peers:build/);
  }
  assert.equal(existsSync(join(scratch, 'cache')), false);
});

test('a folder of somebody is taken where it has all of them', () => {
  const own = join(scratch, 'own');
  mkdirSync(own);
  const ending = process.platform === 'win32' ? '.exe' : '';
  for (const name of ['llama-server', 'llama-bench', 'llama-mtmd-cli']) {
    assert.equal(run([at('native/peers.mjs'), '--find'], { ETA_VLM_PEERS: own }).status, 3);
    writeFileSync(join(own, name + ending), '');
  }
  const { status, stdout } = run([at('native/peers.mjs'), '--find'], { ETA_VLM_PEERS: own });
  assert.equal(status, 0);
  assert.equal(stdout, `${own}\n`);
});

test('sides take turns, the first of which does not count', async () => {
  const order: string[] = [];
  const side = (name: string) => async (turn: number) => {
    order.push(`${name}${turn}`);
    return turn;
  };
  assert.deepEqual(await inTurn({ a: side('a'), b: side('b') }, 2), { a: [1, 2], b: [1, 2] });
  assert.deepEqual(order, ['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
});

test('a figure is the median of the ratios of each turn, not the ratio of medians', () => {
  const sides = { what: 'w', ours: [1, 20, 3], theirs: [2, 10, 1], against: 'theirs' };
  const { figure, goal, isMet } = ratioRow({ ...sides, atMost: 2 });
  assert.deepEqual({ figure, goal, isMet }, { figure: '2.00', goal: '<= 2', isMet: true });
  assert.equal(ratioRow({ ...sides, atMost: 1.99 }).isMet, false);
  assert.equal(ratioRow(sides).isMet, null);
  assert.equal(fasterRow({ ...sides, atLeast: 0.5 }).isMet, true);
  assert.equal(fasterRow({ ...sides, atLeast: 0.51 }).isMet, false);
});

test('a figure that is no number meets no goal', () => {
  assert.equal(ratioRow({ what: 'w', ours: [], theirs: [], against: 'theirs', atMost: 1 }).isMet, false);
  assert.equal(ratioRow({ what: 'w', ours: [1, 1], theirs: [], against: 'theirs', atMost: 1 }).isMet, false);
});
