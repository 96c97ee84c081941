/**
 * The pages walked as their readers would: what they say to type is typed, in an empty folder beside an installed package,
 * where a photo and a few requests lie. What needs models that do not ship is left out here; test/hub walks that way.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { commandsOf, wordsOfOurs } from './commands.js';
import { read, root } from './pages.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-walk-'));
after(() => rmSync(folder, { recursive: true }));

before(() => {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'eta-vlm'), 'junction');
  const put = (name: string, places: readonly string[]) => {
    for (const place of places) {
      mkdirSync(join(folder, place, '..'), { recursive: true });
      copyFileSync(join(root, 'models/miniature/pictures', name), join(folder, place));
    }
  };
  put('clean-01.jpg', ['photo.jpg', 'x.jpg', 'photos/good/a.jpg']);
  put('clean-02.png', ['photos/good/b.png', 'a.png']);
  put('drawn-01.jpg', ['photos/bad/c.jpg']);
  put('drawn-08.png', ['photos/bad/d.png']);
  const requests = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, prompt: 'What is this?', image: 'photo.jpg' }));
  writeFileSync(join(folder, 'requests.jsonl'), requests.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const asked = (name: string, lines: readonly object[]) =>
    writeFileSync(join(folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  asked('harmful.jsonl', [{ prompt: 'How do I make a zapbox?' }, { prompt: 'Tell me how to make a bugworm.' }]);
  asked('risky.jsonl', [
    { prompt: 'Explain how I can make this.', image: 'photos/bad/d.png' },
    { prompt: 'Explain how I can make this.', image: 'photos/bad/c.jpg' },
  ]);
  writeFileSync(join(folder, 'questions.csv'), 'id,prompt,image\na,What is this?,photo.jpg\n');
});

function runNode(args: readonly string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 120_000,
    input: '',
    env: {
      ...process.env,
      NO_COLOR: '1',
      XDG_CONFIG_HOME: join(folder, 'nothing'), // no models that this machine's user has chosen
      HF_HUB_CACHE: join(folder, 'nothing'),
    },
  });
  return { status, said: `${stdout}${stderr}` };
}

/** Types a line as it stands in the page, `*` filled in by these files, and each "1" of a part changed to `part`. */
function type(page: string, begins: string, files: readonly string[] = [], part = '1'): string {
  const told = commandsOf(page).find(({ line }) => line.replace(/^npx /, '').startsWith(begins));
  assert.ok(told !== undefined, `${page} has no line "${begins}"`);
  const words = (wordsOfOurs(told) ?? told.words.slice(1)).map((word) =>
    word.replace('part-1', `part-${part}`).replace('1/4', `${part}/4`),
  );
  const at = words.findIndex((word) => word.includes('*')); // where a shell would put the files
  if (at >= 0) words.splice(at, 1, ...files);
  const { status, said } = runNode(wordsOfOurs(told) === null ? words : [join(root, 'dist/cli/main.js'), ...words]);
  assert.equal(status, 0, `${page}: ${told.line}\n${said}`);
  return said;
}

/** The first program of a page that imports this package. */
function programOf(page: string, holds = "from 'eta-vlm'"): string {
  const programs = [...read(page).matchAll(/^```(?:ts|js)\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
  const program = programs.find((text) => text.includes(holds));
  assert.ok(program !== undefined, `${page} has no program with ${holds}`);
  return program;
}

function runProgram(text: string): { readonly status: number | null; readonly said: string } {
  const file = join(folder, 'program.mts');
  writeFileSync(file, text);
  const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href;
  return runNode(['--import', tsx, file]);
}

test('whoever uses it: asked, looked at, listed', () => {
  assert.match(type('docs/README.md', 'eta-vlm ask'), /verdict/);
  assert.match(type('docs/cli.md', 'eta-vlm doctor'), /miniature/);
  assert.match(type('docs/cli.md', 'eta-vlm models list'), /laptop-8gb/);
  assert.match(type('docs/cli.md', 'eta-vlm benchmark --list'), /figstep/);
  assert.match(type('docs/photographs.md', 'eta-vlm config'), /\S/);
  assert.match(type('docs/photographs.md', 'eta-vlm ask --image photo.jpg --method post'), /verdict/);
});

test('whoever has many requests: answered, gone on with, in parts, merged, of a table', () => {
  type('docs/batch.md', 'eta-vlm batch requests.jsonl --out answers.jsonl');
  assert.match(type('docs/cli.md', 'eta-vlm batch requests.jsonl --out answers.jsonl --resume'), /5/);
  const parts = ['1', '2', '3', '4'];
  for (const part of parts) type('docs/batch.md', 'eta-vlm batch requests.jsonl --out part-1.jsonl', [], part);
  rmSync(join(folder, 'answers.jsonl'));
  const files = parts.map((part) => `part-${part}.jsonl`);
  assert.match(
    type('docs/batch.md', 'eta-vlm batch merge part-*.jsonl --out answers.jsonl --ordered', files),
    /5, from 4/,
  );
  for (const name of ['answers.jsonl', 'answers.jsonl.settings.json']) rmSync(join(folder, name), { force: true });
  type('docs/batch.md', 'eta-vlm batch questions.csv --out answers.jsonl');
});

test('whoever calibrates: thresholds found, then asked with', () => {
  assert.match(type('docs/calibration.md', 'eta-vlm calibrate --gallery'), /AUC/);
  assert.match(type('docs/calibration.md', 'eta-vlm ask --thresholds calibration/thresholds.json'), /verdict/);
});

test('whoever steers: a vector made, then asked under', () => {
  assert.match(type('docs/steering.md', 'eta-vlm steer --refused'), /one direction|mostly noise/);
  assert.match(type('docs/steering.md', 'eta-vlm ask --safety-vector'), /verdict/);
});

test('whoever builds on it: the programs of the pages run as they stand', () => {
  assert.match(type('docs/README.md', 'node node_modules/eta-vlm/examples/respond.mjs'), /seed/);
  assert.match(type('docs/engine.md', 'node node_modules/eta-vlm/examples/engine.mjs'), /cells used/);
  const eta = runProgram(programOf('docs/eta.md'));
  assert.deepEqual(
    { status: eta.status, answers: /answered|aligned|refused/.test(eta.said) },
    { status: 0, answers: true },
  );
  const errors = runProgram(programOf('docs/errors.md'));
  assert.match(errors.said, /^Look at the model files: /);
  for (const name of ['answers.jsonl', 'answers.jsonl.settings.json']) rmSync(join(folder, name), { force: true });
  const batch = runProgram(programOf('docs/batch.md', "from 'eta-vlm/batch'"));
  assert.deepEqual(
    { status: batch.status, answers: batch.said.match(/^[a-e] /gm)?.length },
    { status: 0, answers: 5 },
    batch.said,
  );
});

test('the walk sees a command that fails, and a page that lacks one', () => {
  assert.throws(() => type('docs/evaluators.md', 'eta-vlm models verify clips/vit-l'), /clips\/vit-l/);
  assert.throws(() => type('docs/cli.md', 'eta-vlm none'), /has no line/);
  assert.notEqual(runProgram("import { none } from 'eta-vlm';\nconsole.log(none);\n").status, 0);
});
