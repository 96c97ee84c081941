/** The planting of faults, where it is known which are seen. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Misuse } from '../fuzz/misuse.js';
import { readAsked, stateName } from './asked.js';
import { Compiler } from './compiler.js';
import { planted, told } from './fault.js';
import { knownFaults } from './known.js';
import { nativeFaults } from './native-faults.js';
import { plantRoom } from './plant-room.js';
import { isSeen, report } from './report.js';
import { ROOMS } from './rooms.js';
import { State } from './state.js';
import { runTest } from './test-file.js';
import { Tree } from './tree.js';
import { tryFault } from './trial.js';
import { typescriptFaults } from './typescript-faults.js';
import { withWitnesses } from './witnesses.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-planted-'));
const room = { sources: ['src/numbers'], tests: ['numbers/'] };
let tree: Tree;
let compiler: Compiler;

before(() => {
  cpSync(join(here, 'planted'), folder, { recursive: true });
  renameSync(join(folder, 'test/numbers/within.ts'), join(folder, 'test/numbers/within.test.ts'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'tsconfig.json'), readFileSync(join(here, '../../tsconfig.json')));
  writeFileSync(join(folder, '.gitignore'), 'node_modules\n');
  symlinkSync(join(here, '../../node_modules'), join(folder, 'node_modules'), 'junction');
  execFileSync('git', ['init', '--quiet'], { cwd: folder });
  tree = new Tree(folder);
  compiler = new Compiler(folder);
});
after(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(dirname(tree.root), { recursive: true, force: true });
});

const optionsOf = (name: string) => ({
  count: 100,
  seed: 1,
  longestMs: 60_000,
  argued: [],
  state: new State(join(folder, `${name}.json`), tree.key),
  compiler: () => compiler,
});

test('of nine faults the compiler refuses one, four are seen, one is not, and to three no test comes', async () => {
  const { faultCount, tried, leftOut } = await plantRoom(tree, 'numbers', room, optionsOf('all'));
  const file = 'src/numbers/within.ts';
  const ends = tried.map(({ fault, outcome }) => {
    const is = outcome.is === 'unseen' && outcome.tests.length === 0 ? 'unreached' : outcome.is;
    return `${is}: ${told(tree.text(file), fault).after}`;
  });
  assert.deepEqual(ends.sort(), [
    'seen: return value < low && value <= high;',
    'seen: return value > low && value <= high;',
    'seen: return value >= low && value > high;',
    'seen: return value >= low || value <= high;',
    'unreached: return (value + 1) + 1;',
    'unreached: return value + 2;',
    'unreached: return value - 1;',
    'unseen: return value >= low && value < high;',
  ]);
  assert.deepEqual([faultCount, leftOut], [9, []]);
  assert.equal(readFileSync(join(tree.root, file), 'utf8'), readFileSync(join(folder, file), 'utf8'));
  const text = report(tree, [{ room: 'numbers', faultCount, tried, leftOut }]);
  assert.match(text, /\| numbers \| 9 \| 8 \| 4 \| 50 % \|/);
  assert.deepEqual(
    [0, 50, 51].map((percent) => isSeen({ tried }, percent)),
    [true, true, false],
  );
  assert.equal(isSeen({ tried: [] }, 1), false);
  assert.match(text, /within\.ts:5 \(<= → <; 1 tests come there\)\n {2}- .* <= high;\n {2}\+ .* < high;/);
});

test('what was found is not tried again; what is argued is not drawn; a test that is red anyway is not asked', async () => {
  const [argued] = typescriptFaults('src/numbers/within.ts', tree.text('src/numbers/within.ts'))
    .map((fault) => told(tree.text(fault.file), fault))
    .filter(({ after }) => after === 'return value >= low && value < high;');
  assert.ok(argued !== undefined);
  const options = { ...optionsOf('few'), count: 3, argued: [{ ...argued, why: 'a control' }] };
  const first = await plantRoom(tree, 'numbers', room, options);
  assert.equal(first.tried.length, 3);
  writeFileSync(join(tree.root, 'test/numbers/within.test.ts'), 'throw new TypeError("nothing runs any more");');
  const again = { ...options, state: new State(join(folder, 'few.json'), tree.key) };
  assert.deepEqual(await plantRoom(tree, 'numbers', room, again), first);
  const anew = await plantRoom(tree, 'numbers', room, { ...optionsOf('anew'), argued: options.argued });
  assert.deepEqual(anew.leftOut, ['test/numbers/within.test.ts']);
  assert.equal(anew.tried.length, 7);
  assert.ok(anew.tried.every(({ outcome }) => outcome.is === 'unseen'));
});

test('a test is ended at its first failure', async () => {
  const lines = [
    "import { test } from 'node:test';",
    "test('asked', () => { if (process.env.IS_WRONG) throw new RangeError(); });",
    "test('slow', async () => { await new Promise((resolve) => setTimeout(resolve, process.env.IS_WRONG ? 50_000 : 0)); });",
  ];
  const file = 'test/numbers/slow.test.ts';
  writeFileSync(join(tree.root, file), lines.join('\n'));
  const run = (env: Record<string, string>) => runTest(tree.root, file, { limitMs: 40_000, env });
  assert.equal((await run({})).isGreen, true);
  const { isGreen, isOverdue } = await run({ IS_WRONG: '1' });
  assert.deepEqual([isGreen, isOverdue], [false, false]);
  rmSync(join(tree.root, file));
});

test('a test that is red without the fault too has not seen it, and a source’s own test is asked first', async () => {
  const file = 'src/numbers/within.ts';
  const [fault] = typescriptFaults(file, tree.text(file)).filter(({ after }) => after === '||');
  assert.ok(fault !== undefined);
  const red = 'test/numbers/red.test.ts';
  writeFileSync(join(tree.root, red), 'throw new TypeError("whatever is planted");');
  const own = 'test/numbers/within.test.ts';
  const outcome = (...tests: { test: string; ms: number }[]) => tryFault(tree, fault, tests);
  assert.deepEqual(await outcome({ test: red, ms: 1 }), { is: 'unseen', tests: [red] });
  writeFileSync(join(tree.root, own), readFileSync(join(folder, own)));
  const seen = { is: 'seen', test: own, how: 'red' };
  assert.deepEqual(await outcome({ test: red, ms: 1 }, { test: own, ms: 100 }), seen, 'the next one is asked');
  const other = 'test/numbers/other.test.ts';
  writeFileSync(join(tree.root, other), readFileSync(join(folder, own)));
  assert.deepEqual(await outcome({ test: other, ms: 10 }, { test: own, ms: 90 }), seen);
  assert.deepEqual(await outcome({ test: other, ms: 1 }, { test: own, ms: 90 }), { ...seen, test: other });
  assert.equal(readFileSync(join(tree.root, file), 'utf8'), tree.text(file));
  for (const one of [red, other]) rmSync(join(tree.root, one));
});

test('what was found is forgotten where anything changes that it hangs on', () => {
  const before = new Tree(folder).key;
  assert.equal(new Tree(folder).key, before, 'the control');
  mkdirSync(join(folder, 'test/mutants'), { recursive: true });
  writeFileSync(join(folder, 'test/mutants/argued.json'), '[]');
  const empty = new Tree(folder).key;
  writeFileSync(join(folder, 'test/mutants/argued.json'), '[{}]');
  const filled = new Tree(folder).key;
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }');
  assert.equal(new Set([before, empty, filled, new Tree(folder).key]).size, 4);
  const words = [[], ['--count', '31'], ['--seed', '2'], ['--longest', '121'], ['--known']];
  assert.equal(new Set(words.map((one) => stateName('eta', readAsked(one)))).size, words.length);
});

test('what cannot be asked for is refused in a sentence', () => {
  const refused: readonly (readonly [string[], RegExp])[] = [
    [['--count', 'abc'], /^Expected a whole number from 1 for --count, received 'abc'\.$/],
    [['--count', '0'], /from 1 for --count, received '0'/],
    [['--seed', '1.5'], /from 0 for --seed/],
    [['--longest', ''], /from 1 for --longest, received ''/],
    [['--rooms', 'eta,toString'], /Expected --rooms of eta, .*received 'toString'/],
    [['--nosuch'], /--nosuch/],
  ];
  for (const [words, message] of refused)
    assert.throws(
      () => readAsked(words),
      (error) => error instanceof Misuse && message.test(error.message),
      words.join(' '),
    );
  assert.deepEqual(readAsked(['--rooms', 'eta,search', '--count', '3']), {
    rooms: ['eta', 'search'],
    count: 3,
    seed: 1,
    longest: 120,
    known: false,
    least: 0,
  });
});

test('a source that tells where a program came computes what it computed', async () => {
  const text =
    'export function f(a, b) {\n  if (!a && b < 2) throw new RangeError("no");\n  g.count += a ? 1 : 2;\n  return g.count ?? 0;\n}\nexport const g = { count: 3 };\n';
  const faults = typescriptFaults('f.ts', text);
  const kinds = new Map(faults.entries());
  const log = join(folder, 'log');
  writeFileSync(join(folder, 'f.ts'), withWitnesses(text, kinds, log));
  writeFileSync(join(folder, 'f.mts'), "import { f } from './f.ts'; console.log(f(true, 1), f(false, 2));");
  const said = execFileSync(process.execPath, ['--import', 'tsx', 'f.mts'], { cwd: folder, encoding: 'utf8' });
  assert.equal(said, '4 6\n');
  const reached = new Set(readFileSync(log, 'utf8').trim().split('\n').map(Number));
  const missed = faults.filter((_, number) => !reached.has(number)).map(({ kind, after }) => `${kind}: ${after}`);
  assert.deepEqual(missed, ['refusal gone: ;', 'other number: 1']);
});

test('arguments are swapped where their order makes a difference', () => {
  const swapped = typescriptFaults('f.ts', 'f(1, g); Math.min(g, h); a.slice(g, h); f(g, g);').filter(
    ({ kind }) => kind === 'arguments swapped',
  );
  assert.deepEqual(
    swapped.map(({ after }) => after),
    ['f(g, 1)', 'a.slice(h, g)'],
  );
});

test('faults of C++ stand in code, and not in words, comments or types', () => {
  const text = [
    '#if defined(A) && 1',
    'bool F(std::vector<int> a, int b) {',
    '  // a < b && c',
    '  const auto words = "x < y";',
    '  if (a.size() > 0 && b < 3) {',
    '    throw Failure("b == 0" + 1);',
    '  }',
    '  cells_.Drop(b);',
    '  return b >= 1;',
    '}',
  ].join('\n');
  const changed = nativeFaults('f.cpp', text).map((fault) => told(text, fault).after);
  assert.deepEqual(changed.sort(), [
    ';',
    'if (!(a.size() > 0 && b < 3)) {',
    'if (a.size() <= 0 && b < 3) {',
    'if (a.size() > 0 && b <= 3) {',
    'if (a.size() > 0 && b >= 3) {',
    'if (a.size() > 0 || b < 3) {',
    'if (a.size() > 1 && b < 3) {',
    'if (a.size() >= 0 && b < 3) {',
    'return b > 1;',
    'return b >= 2;',
  ]);
});

test('each fault that was planted by hand has its place in the code of today', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const today = { text: (file: string) => readFileSync(join(root, file), 'utf8') };
  const count = Object.keys(ROOMS).reduce((sum, name) => sum + knownFaults(today, name).length, 0);
  assert.ok(count > 30, `${count}`);
  for (const name of Object.keys(ROOMS)) {
    for (const { fault } of knownFaults(today, name))
      assert.notEqual(planted(today.text(fault.file), fault), today.text(fault.file));
  }
});
