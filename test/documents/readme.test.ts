/** The README is true: its commands are there, its program runs as it stands, its first answer is what is printed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { exists, read, root } from './pages.js';

const README = read('README.md');
const PICTURE = 'models/miniature/pictures/drawn-08.png';

function runNode(args: readonly string[]): { readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, NO_COLOR: '1' },
  });
  assert.equal(status, 0, stderr);
  return { stdout, stderr };
}

test('its two commands are there, and the second is what the build machine runs', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };
  const commands = [...README.matchAll(/^npm ci && npm (run )?(\w+) {2,}/gm)].map(([, , name = '']) => name);
  assert.deepEqual(commands, ['demo', 'test']);
  for (const name of commands) assert.ok(scripts[name] !== undefined, name);
  assert.match(read('.ci/run'), /^npm ci$[\s\S]*^npm test$/m);
});

test('its program runs as it stands', () => {
  const [, program = ''] = /^```js\n([\s\S]*?)^```$/m.exec(README) ?? [];
  assert.match(program, /'picture\.png'/);
  const { stdout } = runNode(['--input-type=module', '--eval', program.replace("'picture.png'", `'${PICTURE}'`)]);
  assert.match(stdout, /^\S.* (answered|aligned|refused)\n$/);
});

/** What stands in the picture of a terminal, piece by piece. */
const SHOWN = [...read('docs/images/ask.svg').matchAll(/<text [^>]*>([^<]*)<\/text>/g)]
  .map(([, text = '']) => text.replaceAll('&#39;', "'"))
  .join(' ');

const FIGURE = /-?\d\.\d{3}/g;

/** What another machine prints in the same words, with scores that are as good as equal; counts and times are its own. */
function assertSame(shown: string, printed: string): void {
  const words = (text: string) =>
    text
      .replace(FIGURE, 'score')
      .replace(/\d[\d.]*/g, 'count')
      .split(/\s+/)
      .join(' ')
      .trim();
  const again = 'expected what the picture shows (node --import tsx test/documents/ask-picture.ts draws it), received';
  assert.equal(words(printed), words(shown), `${again} ${printed}`);
  const figures = (text: string) => [...text.matchAll(FIGURE)].map(Number);
  for (const [at, value] of figures(shown).entries())
    assert.ok(Math.abs((figures(printed)[at] ?? Number.NaN) - value) < 0.002, `${value}: received ${printed}`);
}

test('its picture of a terminal shows what the command above it prints', () => {
  const [, picture = '', question = ''] = /^npx eta-vlm ask --image (\S+) --seed 1 "([^"]+)"$/m.exec(README) ?? [];
  assert.ok(picture === PICTURE && exists(PICTURE) && README.includes('src="docs/images/ask.svg"'));
  const { stdout, stderr } = runNode(['dist/cli/main.js', 'ask', '--image', PICTURE, '--seed', '1', question]);
  assertSame(SHOWN, `${stdout}${stderr}`);
  assert.ok(README.includes(`alt="${stdout.trim()}`), 'the answer is told to whoever does not see the picture');
});

test('the comparison sees another word and another score', () => {
  assertSame(SHOWN, SHOWN.replace(/\d+\.\d\d s$/, '9.87 s').replace('0.273', '0.274'));
  assert.throws(() => assertSame(SHOWN, SHOWN.replace('unsafe', 'safe')));
  assert.throws(() => assertSame(SHOWN, SHOWN.replace('0.273', '0.276')));
});
