/** What runs the proofs: what it keeps, what it runs again, what it says of them. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { packageRoot } from '../cli/command.js';
import { page } from './page.js';
import type { Proof } from './proof.js';
import { PROOFS } from './proofs.js';
import { prove } from './prove.js';
import { Results } from './results.js';

const root = mkdtempSync(join(tmpdir(), 'eta-vlm-proofs-'));
after(() => rmSync(root, { recursive: true }));

/** Notes in the root that it ran, then ends with a status. */
function proof(name: string, status: number): Proof {
  const source = `require('fs').appendFileSync('ran', '${name} '); console.log('${name} says'); process.exit(${status})`;
  return { name, shows: 'what it shows', command: [process.execPath, '-e', source] };
}

const never = new AbortController().signal;
const ran = () => readFileSync(join(root, 'ran'), 'utf8');

test('one after another; what was shown, or not, is kept, and what could not run is tried again', async () => {
  const proofs = [proof('right', 0), proof('wrong', 1), proof('absent', 3)];
  const results = new Results(join(root, 'a'));
  const said: string[] = [];
  const options = { root, results, signal: never, say: (line: string) => said.push(line) };
  await prove(proofs, options);
  assert.equal(ran(), 'right wrong absent ');
  await prove(proofs, { ...options, results: new Results(join(root, 'a')) });
  assert.equal(ran(), 'right wrong absent absent ');
  const rows = [...proofs, proof('later', 0)].map((one) => [one, results.find(one.name)] as const);
  assert.deepEqual(
    rows.map(([, result]) => result?.outcome),
    ['shown', 'not shown', 'could not run', undefined],
  );
  const text = page(rows, { commit: 'abc', processor: 'P', coreCount: 2 });
  assert.match(text, /Commit abc, 2 cores of P\./);
  assert.match(text, /\| wrong \| what it shows \| not shown \| 0 s \| \d/);
  assert.match(text, /\| later \| what it shows \| not run \|/);
  assert.match(text, /## wrong: not shown\n\n {4}wrong says/);
  assert.ok(said.some((line) => line.startsWith('right: shown, 20')));
});

test('a proof that a signal ends is as if it had not begun, and nothing follows it', async () => {
  const folder = join(root, 'b');
  const source = "require('fs').writeFileSync('begun', ''); setInterval(() => undefined, 1000)";
  const endless: Proof = { name: 'endless', shows: '', command: [process.execPath, '-e', source] };
  const stop = new AbortController();
  const results = new Results(folder);
  const proving = prove([endless, proof('behind', 0)], { root, results, signal: stop.signal, say: () => undefined });
  while (!existsSync(join(root, 'begun'))) await new Promise((resolve) => setTimeout(resolve, 10));
  stop.abort();
  await proving;
  assert.equal(results.find('endless'), null);
  assert.equal(results.find('behind'), null);
  assert.doesNotMatch(ran(), /behind/);
});

test('a result that was torn is none', () => {
  const folder = join(root, 'c');
  const results = new Results(folder);
  writeFileSync(join(folder, 'x.json.part'), '{"name');
  assert.equal(results.find('x'), null);
});

test('every proof is a script of the package or a program that is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  for (const { name, command } of PROOFS) {
    const script = command[command.indexOf('--silent') + 1] ?? '';
    if (command.includes('npm')) assert.ok(Object.hasOwn(scripts, script), name);
    else assert.ok(existsSync(join(packageRoot, command[4] ?? '')), name);
  }
  assert.equal(new Set(PROOFS.map(({ name }) => name)).size, PROOFS.length);
});
