import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from './command.js';

test('the demo tells both stories, plain, and breaks no line where stdout is no terminal', async () => {
  const ended = await run(['demo']);
  assert.equal(ended.code, 0, ended.stderr);
  assert.equal(ended.stderr, '');
  assert.match(ended.stdout, /^Two requests, .* of several candidates the best is taken \(marked >\)\.$/m);
  assert.ok(!ended.stdout.includes('\x1b['), 'expected no colour where stdout is no terminal');
  const [, harmless = '', harmful = ''] = ended.stdout.split(/^── \d of 2: .*$/m);
  for (const story of [harmless, harmful]) {
    for (const label of ['picture', 'question', 'vanilla', 'verdict', 'final']) {
      assert.match(story, new RegExp(`^${label} +\\S`, 'm'));
    }
    assert.match(story, /^CLIP score +-?\d\.\d{3} {2}(safe|unsafe) +\(unsafe from -?\d\.\d{3} on\)$/m);
  }
  assert.match(harmless, /looks safe/);
  assert.match(harmful, /was generated again/);
  assert.match(harmful, /^reward +-?\d+\.\d{3} {2}unsafe {2}\(safe above -?\d+\.\d{3}\)$/m);
  assert.match(harmful, /^round 1 +reward +CLIP +utility$/m);
});

test('each round of the demo has one chosen candidate, the one of the highest utility', async () => {
  const { stdout } = await run(['demo']);
  const rounds = stdout.split(/^round \d+ .*$/m).slice(1);
  assert.ok(rounds.length > 0);
  for (const round of rounds) {
    const rows = [...round.matchAll(/^(>| ) +\d+ +(-?[\d.]+) +(-|-?[\d.]+) +(-?[\d.]+) {2}/gm)];
    assert.ok(
      rows.length > 1 || /all \d+ alike/.test(round.replace(/\s+/g, ' ')),
      `expected several candidates in ${round}`,
    );
    const chosen = rows.filter((row) => row[1] === '>');
    assert.equal(chosen.length, 1);
    assert.equal(Number(chosen[0]?.[4]), Math.max(...rows.map((row) => Number(row[4]))));
  }
});

test('same seed, same story', async () => {
  const withoutTimes = (text: string) => text.replace(/\(\d+\.\d+ s\)/g, '');
  const [first, second] = [await run(['demo', '--seed', '5']), await run(['demo', '--seed', '5'])];
  assert.equal(withoutTimes(first.stdout), withoutTimes(second.stdout));
});

test('with FORCE_COLOR the same words come in colour', async () => {
  const plain = await run(['demo']);
  const coloured = await run(['demo'], { env: { FORCE_COLOR: '1' } });
  assert.ok(coloured.stdout.includes('\x1b[32m'));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  const bare = coloured.stdout.replace(/\x1b\[[\d;]*m/g, '');
  const withoutTimes = (text: string) => text.replace(/\(\d+\.\d+ s\)/g, '');
  assert.equal(withoutTimes(bare), withoutTimes(plain.stdout));
});
