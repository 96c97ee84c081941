/** `eta-vlm calibrate` as a user types it. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { assertRefused, packageRoot, run } from '../cli/command.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-calibrate-command-'));
after(() => rmSync(folder, { recursive: true }));
const pictures = join(packageRoot, 'models/miniature/pictures');

test('--gallery: the table on stdout, everything else on stderr, the files in their folder, and they can be used', async () => {
  const out = join(folder, 'calibration');
  const { code, stdout, stderr } = await run(['calibrate', '--gallery', '--out', out]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^CLIP score of eta-vlm-miniature-clip: 16 safe, 20 unsafe pictures; best balance\nAUC /);
  assert.match(stdout, /\nchosen +0\.\d+ \(.*\n {2}held out .*%.*\nin force +0\.\d+ \(manifest\)/);
  assert.match(stderr, /warning: Only 16 safe and 20 unsafe pictures/);
  assert.match(stderr, /use it with --thresholds .*thresholds\.json/);
  for (const file of ['thresholds.json', 'report.html', 'report.md', 'metrics.json', 'plots/scores-1.svg'])
    assert.ok(existsSync(join(out, file)), file);
  const svg = readFileSync(join(out, 'plots/scores-1.svg'), 'utf8');
  assert.match(svg, /safe \(16\)[\s\S]*unsafe \(20\)/);
  const asked = await run([
    'ask',
    '--thresholds',
    join(out, 'thresholds.json'),
    '--image',
    join(pictures, 'clean-01.jpg'),
    'How many hammers can you see?',
  ]);
  assert.equal(asked.code, 0, asked.stderr);
  assert.match(
    asked.stderr.replace(/\s+/g, ' '),
    /CLIP score 0\.\d+ safe \(unsafe from 0\.\d+ on, by .*thresholds\.json\)/,
  );
});

test('pictures, then answers, into one folder: the first threshold stays, and is told; a damaged file is replaced', async () => {
  const out = join(folder, 'one-by-one');
  const file = join(out, 'thresholds.json');
  const read = () => JSON.parse(readFileSync(file, 'utf8')) as Record<'clip' | 'rewardModel', object | null>;
  const safe = ['--safe', join(pictures, 'clean-02.png'), '--unsafe', join(pictures, 'drawn-01.jpg')];
  const ofPictures = await run(['calibrate', ...safe, '--out', out]);
  assert.equal(ofPictures.code, 0, ofPictures.stderr);
  assert.doesNotMatch(ofPictures.stderr, /^kept/m);
  const { clip } = read();
  const lines = ['There is one hammer.', 'Take the gun and aim at a person.'].map((text, index) => {
    const path = join(folder, `answers-${index}.txt`);
    writeFileSync(path, `${text}\n`);
    return path;
  });
  const [safeAnswers = '', unsafeAnswers = ''] = lines;
  const answers = ['calibrate', '--safe-answers', safeAnswers, '--unsafe-answers', unsafeAnswers, '--out', out];
  const ofAnswers = await run(answers);
  assert.equal(ofAnswers.code, 0, ofAnswers.stderr);
  assert.match(
    ofAnswers.stderr,
    /^kept +in .*thresholds\.json, from an earlier calibration: CLIP score of eta-vlm-miniature-clip$/m,
  );
  assert.deepEqual(read().clip, clip);
  assert.notEqual(read().rewardModel, null);
  const { stdout } = await run([...answers, '--json']);
  const told = JSON.parse(stdout) as { clip: null; files: { kept: string[] } };
  assert.deepEqual([told.clip, told.files.kept], [null, ['CLIP score of eta-vlm-miniature-clip']]);
  writeFileSync(file, '{"format": "eta-vlm/thresholds", "clip": 7}');
  const replaced = await run(answers);
  assert.equal(replaced.code, 0, replaced.stderr);
  assert.equal(read().clip, null);
});

test('unreadable pictures: each named, exit code 3, and the threshold all the same; --json', async () => {
  const [good, bad] = [join(folder, 'good'), join(folder, 'bad')];
  for (const [path, name] of [
    [good, 'clean-02.png'],
    [bad, 'drawn-01.jpg'],
  ] as const) {
    mkdirSync(path);
    cpSync(join(pictures, name), join(path, name));
  }
  writeFileSync(join(good, 'broken.png'), 'no picture');
  const args = ['calibrate', '--safe', good, '--unsafe', bad, '--out', join(folder, 'json'), '--json'];
  const { code, stdout, stderr } = await run(args);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /not read: .*broken\.png: /);
  const found = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(Object.keys(found), [
    'format',
    'version',
    'clip',
    'rewardModel',
    'decision',
    'unread',
    'leftOut',
    'files',
  ]);
});

test('pictures beyond --max-pixels are not read, and named with what to raise', async () => {
  const picture = join(pictures, 'clean-02.png');
  const args = [
    'calibrate',
    '--safe',
    picture,
    '--unsafe',
    join(pictures, 'drawn-01.jpg'),
    '--max-pixels',
    '100',
    '--out',
    join(folder, 'large'),
  ];
  const { code, stderr } = await run(args);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /not read: .*clean-02\.png: .* Expected at most 100 in all.* Or raise --max-pixels\.$/m);
});

test('nothing of a class can be read: exit code 1, nothing written', async () => {
  const bad = join(folder, 'unreadable');
  mkdirSync(bad);
  writeFileSync(join(bad, 'a.png'), 'no picture');
  const out = join(folder, 'none');
  const { code, stderr } = await run([
    'calibrate',
    '--safe',
    join(pictures, 'clean-02.png'),
    '--unsafe',
    bad,
    '--out',
    out,
  ]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /there is no threshold/);
  assert.ok(!existsSync(join(out, 'thresholds.json')), 'written all the same');
});

test('--install: the thresholds hold in that folder of models, and in a copy with another model they are refused', async () => {
  const clip = join(folder, 'clip');
  cpSync(join(packageRoot, 'models/miniature/clip'), clip, { recursive: true });
  const names = ['clean-02.png', 'clean-03.png', 'drawn-01.jpg', 'drawn-02.jpg'].map((name) => join(pictures, name));
  const sources = ['--safe', ...names.slice(0, 2), '--unsafe', ...names.slice(2)];
  const args = ['calibrate', ...sources, '--clip', clip, '--install', '--out', join(folder, 'installed')];
  const { code, stderr } = await run(args);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /in force from now on: .*clip\/thresholds\.json/);
  const again = await run(args);
  assert.match(again.stdout, /in force +0\.\d+ \(.*clip\/thresholds\.json\)/, again.stderr);
  const models = join(packageRoot, 'models/miniature');
  const ask = ['--language-model', join(models, 'language-model.gguf'), '--projector', join(models, 'projector.gguf')];
  const file = join(clip, 'thresholds.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"sha256": "[0-9a-f]{64}"/, `"sha256": "${'0'.repeat(64)}"`));
  const refused = await run(['ask', ...ask, '--clip', clip, '--reward-model', join(models, 'reward-model'), 'What?']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /expected thresholds of the CLIP model .*\(ERR_MODEL_MISMATCH\)/);
});

test('thresholds take the place of nothing but thresholds', async () => {
  const out = join(folder, 'stranger');
  mkdirSync(out);
  const path = join(out, 'thresholds.json');
  const args = ['calibrate', '--gallery', '--out', out];
  writeFileSync(path, '{ "mine": 1 }');
  assertRefused(await run(args), {
    exitCode: 2,
    code: 'ERR_RESULTS_EXIST',
    message: /found something else, which stays/,
  });
  assert.equal(readFileSync(path, 'utf8'), '{ "mine": 1 }');
  writeFileSync(path, '');
  assert.equal((await run(args)).code, 0);
  assert.equal((await run(args)).code, 0, 'the control: an earlier calibration gives way');
});

test('safe pictures alone: what is not known is said on the terminal, and with every answer', async () => {
  const { pictures: all } = JSON.parse(readFileSync(join(pictures, 'pictures.json'), 'utf8')) as {
    pictures: readonly { file: string; isUnsafe: boolean }[];
  };
  const safe = all.filter(({ isUnsafe }) => !isUnsafe).map(({ file }) => file);
  const out = join(folder, 'safe-alone');
  const args = ['--safe', ...safe.map((name) => join(pictures, name)), '--max-false-positive-rate', '0.2'];
  const { code, stdout, stderr } = await run(['calibrate', ...args, '--out', out]);
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /: 16 safe, no unsafe pictures; at most 20 % of safe flagged, from safe ones alone\nAUC +unknown\n/,
  );
  assert.match(stdout, /\nchosen +0\.\d+ \(.*\) +unknown +\d.*%.*\n {2}of others +unknown +\d.*\nin force .* unknown /);
  assert.match(stderr, /how many unsafe pictures this threshold misses is unknown/);
  const file = join(out, 'thresholds.json');
  const image = ['--image', join(pictures, 'clean-01.jpg'), 'How many hammers can you see?'];
  const asked = await run(['ask', '--thresholds', file, ...image]);
  assert.match(asked.stderr.replace(/\s+/g, ' '), /unsafe from 0\.\d+ on, by .*, calibrated on safe ones alone\)/);
  const few = await run(['calibrate', ...args.slice(0, -2), '--out', join(folder, 'few')]);
  assertRefused(few, { exitCode: 2, code: 'ERR_INVALID_OPTION', message: /at least 299 .* received 16\..*0\.18\./ });
});

const WRONG: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [[], /Expected --safe with pictures.*Try it with --gallery/],
  [['--unsafe', pictures], /Expected --safe beside --unsafe, received none. Safe ones alone are enough/],
  [['--unsafe-answers', 'x.txt'], /Expected --safe-answers beside --unsafe-answers/],
  [['--gallery', '--safe', pictures], /'--gallery' cannot be used with option '--safe/],
  [['--safe', pictures, '--guard', 'g.gguf'], /Expected --decision beside --guard, received none/],
  [['--safe-answers', 'a.jsonl', '--decision', 'self', '--install'], /--install: .* received a guard, which is a file/],
  [['--gallery', '--max-false-positive-rate', '5'], /Expected a number from 0 to 1/],
  [['--gallery', '--out', join(pictures, 'clean-01.jpg')], /\(--out\).*which leads through a file\. Name another/],
  [['--safe', 'no-such-folder', '--unsafe', pictures], /--safe: expected a folder of pictures.*"no-such-folder"/],
  [
    ['--gallery', '--clip', 'nowhere', '--models', 'miniature'],
    /'--models <models>' cannot be used with option '--clip/,
  ],
];

for (const [args, message] of WRONG) {
  test(`refused: calibrate ${args.map((arg) => arg.replace(packageRoot, '')).join(' ')}`, async () => {
    const out = args.includes('--out') ? [] : ['--out', join(folder, 'refused')];
    const ended = await run(['calibrate', ...args, ...out]);
    assertRefused(ended, { exitCode: 2, code: 'ERR_INVALID_OPTION', message });
  });
}
