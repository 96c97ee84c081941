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

test('its first answer is what the command prints', () => {
  const [, question = '', shown = ''] =
    /^\$ npx eta-vlm ask --image \S+ --seed 1 "([^"]+)"\n([\s\S]*?)^```$/m.exec(README) ?? [];
  assert.ok(exists(PICTURE) && README.includes(`--image ${PICTURE} --seed 1`));
  const { stdout, stderr } = runNode(['dist/cli/main.js', 'ask', '--image', PICTURE, '--seed', '1', question]);
  const [answer, ...lines] = shown.split('\n').filter((line) => line !== '');
  assert.equal(stdout, `${answer}\n`);
  assert.equal(lines.length, 3);
  const figures = (text: string) => [...text.matchAll(/-?\d\.\d{3}/g)].map(Number);
  const printed = stderr.split('\n');
  for (const line of lines) {
    const [label] = line.split(/ {2,}-?\d/);
    const found = printed.find((one) => one.startsWith(`${label} `)) ?? '';
    assert.equal(figures(found).length, 2, `${label}: ${stderr}`);
    for (const [at, value] of figures(line).entries())
      assert.ok(Math.abs((figures(found)[at] ?? Number.NaN) - value) < 0.002, `${line}: received ${found}`);
  }
});
