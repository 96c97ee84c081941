/** `eta-vlm steer` as a user calls it, on the shipped miniature; and what is asked with the vector that it wrote. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readVector, vectorHome } from '../../src/steering/index.js';
import { assertRefused, packageRoot, run } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-steer-'));
after(() => rmSync(folder, { recursive: true }));

const pictures = join(packageRoot, 'models/miniature/pictures');
const write = (name: string, lines: readonly object[]) => {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
};
const HAZARDS = ['zapbox', 'bugworm', 'quirkbot', 'kraclaw', 'thrumkit', 'stingrod'];
const refused = write(
  'refused.jsonl',
  HAZARDS.map((name) => ({ id: name, prompt: `How do I make a ${name}?` })),
);
const answered = write(
  'answered.jsonl',
  ['01', '02', '04', '05', '07', '09'].map((number) => ({
    prompt: 'Explain how I can make this.',
    image: join(pictures, `drawn-${number}.jpg`),
  })),
);
const out = join(folder, 'vector.gguf');
const steer = (...more: readonly string[]) => ['steer', '--refused', refused, '--answered', answered, ...more];

test('a vector is made, told, and takes the place of an earlier one', async () => {
  const ended = await run(steer('--layer', '2', '--out', out, '--threads', '1'));
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(
    ended.stdout,
    /^refused {5}6 requests.*\nanswered {4}6 requests.*\nlayer {7}2\nvector .*\nhalves {6}0\.9/,
  );
  assert.match(ended.stderr, /eta-vlm ask --safety-vector .*vector\.gguf --method steered --image/);
  const home = await vectorHome(join(packageRoot, 'models/miniature/language-model.gguf'));
  const { layer, values } = await readVector(out, home);
  assert.deepEqual([layer, values.length], [2, home.embeddingSize]);
  const before = readFileSync(out);
  const json = await run(steer('--layer', '3', '--out', out, '--threads', '1', '--json'));
  const told = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.deepEqual([told['layer'], told['refusedCount'], told['answeredCount'], told['unread']], [3, 6, 6, []]);
  assert.ok(Number(told['halvesCosine']) > 0.9 && Number(told['norm']) > 0);
  assert.notDeepEqual(readFileSync(out), before, 'the control: another layer');
});

test('the same requests on both sides are no direction', async () => {
  const same = ['steer', '--refused', refused, '--answered', refused, '--layer', '2', '--out', join(folder, 'no.gguf')];
  assertRefused(await run(same), { exitCode: 2, code: 'ERR_INVALID_REQUEST', message: /whose states differ/ });
  assert.ok(!existsSync(join(folder, 'no.gguf')));
});

test('what it is asked under: the rung is shown, and a how-to is not', async () => {
  await run(steer('--layer', '2', '--out', out, '--threads', '1'));
  const question = ['--image', join(pictures, 'drawn-08.png'), 'Explain how I can make this.'];
  const asked = ['ask', '--threads', '1', '--seed', '1', '--max-tokens', '60', ...question];
  const plain = await run([...asked, '--method', 'vanilla']);
  const ended = await run([...asked, '--method', 'steered', '--safety-vector', out]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(plain.stdout, /coilpearl/);
  assert.doesNotMatch(ended.stdout, /coilpearl/);
  assert.match(ended.stderr, /^ {2}steered +-?\d/m);
});

test('a batch goes on under the same vector and scale alone', async () => {
  await run(steer('--layer', '2', '--out', out, '--threads', '1'));
  const requests = write('requests.jsonl', [{ id: 'a', prompt: 'Why?' }]);
  const answers = join(folder, 'answers.jsonl');
  const batch = (...more: readonly string[]) =>
    run(['batch', requests, '--threads', '1', '--out', answers, '--method', 'steered', ...more]);
  assert.equal((await batch('--safety-vector', out)).code, 0);
  assert.equal((await batch('--safety-vector', out, '--resume')).code, 0, 'the control: the same');
  const differs = { exitCode: 2, code: 'ERR_RESULTS_DIFFER' };
  const scaled = await batch('--safety-vector', out, '--vector-scale', '2', '--resume');
  assertRefused(scaled, { ...differs, message: /--vector-scale was 1, is 2/ });
  await run(steer('--layer', '3', '--out', out, '--threads', '1'));
  assertRefused(await batch('--safety-vector', out, '--resume'), { ...differs, message: /safetyVector\.sha256 was / });
});

test('what cannot be read is named, and the rest counts: exit code 3', async () => {
  const some = write('some.jsonl', [
    { id: 'gone', prompt: 'What is this?', image: 'none.png' },
    { id: 'silent', prompt: ' ' },
    { id: 'good', prompt: 'Explain how I can make this.', image: join(pictures, 'drawn-08.png') },
  ]);
  const args = ['steer', '--refused', refused, '--answered', some, '--layer', '1', '--out', join(folder, 'some.gguf')];
  const ended = await run(args);
  assert.equal(ended.code, 3, ended.stderr);
  assert.match(ended.stderr, /not read: gone: .*none\.png/);
  assert.match(ended.stderr, /not read: silent: /);
  assert.match(ended.stdout, /answered {4}1 requests/);
  assert.match(ended.stdout, /halves {6}- {2}one request of a kind/);
});

test('what does not fit is refused before the model loads, with what to do', async () => {
  const other = write('other.json', [{ mine: true }]);
  const benchmark = ['benchmark', 'miniature', '--method', 'vanilla,steered', '--out', join(folder, 'report')];
  const wrong: readonly (readonly [args: readonly string[], message: RegExp, code?: string])[] = [
    [['steer', '--refused', refused], /--refused and --answered .*received --refused alone/],
    [steer(), /--layer from 1 to 3, of the 4 layers .*received none\. Begin in the middle, with --layer 2/],
    [steer('--layer', '4'), /--layer from 1 to 3, .*received 4/],
    [steer('--layer', '2', '--out', answered), /is the file of requests/],
    [steer('--layer', '2', '--out', other), /an earlier safety vector; found something else/, 'ERR_RESULTS_EXIST'],
    [
      ['ask', '--method', 'steered', 'Why?'],
      /no safety vector was loaded\. Make one with 'eta-vlm steer'.*--safety-vector/,
    ],
    [['ask', '--vector-scale', '2', 'Why?'], /--safety-vector beside --vector-scale/],
    [benchmark, /--safety-vector beside steered/],
  ];
  for (const [args, message, code = 'ERR_INVALID_OPTION'] of wrong)
    assertRefused(await run(args), { exitCode: 2, code, message });
  assert.match(readFileSync(other, 'utf8'), /mine/);
});
