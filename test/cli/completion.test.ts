import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { nameOf, withParts } from '../../src/cli/called.js';
import { type FlagShape, shapesOf } from '../../src/cli/completion/shape.js';
import { table } from '../../src/cli/completion/tables.js';
import { createProgram } from '../../src/cli/program.js';
import { assertRefused, run } from './command.js';

let folder = '';
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'eta-vlm-completion-'));
  for (const shell of ['bash', 'zsh']) {
    const { code, stdout, stderr } = await run(['completion', shell]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    writeFileSync(join(folder, `script.${shell}`), stdout);
  }
  mkdirSync(join(folder, 'place/photos of mine'), { recursive: true });
  writeFileSync(join(folder, 'place/photo one.jpg'), '');
});
after(() => rmSync(folder, { recursive: true }));

const has = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;

/** What bash offers for the last of the words. */
function bashOffers(words: readonly string[]): string[] {
  const script = `source ../script.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _eta_vlm; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script, 'bash', 'eta-vlm', ...words], {
    encoding: 'utf8',
    cwd: join(folder, 'place'),
  });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return stdout.split('\n').filter((line) => line !== '');
}

const EXPECTED: readonly (readonly [words: readonly string[], offers: readonly string[]])[] = [
  [['ask', '--decision', 'q'], ['qwen3guard']],
  [['b'], ['batch', 'benchmark', 'build']],
  [
    ['models', ''],
    ['add', 'convert', 'help', 'list', 'pull', 'remove', 'use', 'verify'],
  ],
  [['batch', 'm'], ['merge']],
  [
    ['batch', 'merge', '--o'],
    ['--ordered', '--out', '--output-format', '--overwrite'],
  ],
  [['ask', '--me'], ['--method']],
  [
    ['ask', '--method', ''],
    ['deep', 'ecso', 'eta', 'post', 'pre', 'shallow', 'steered', 'vanilla'],
  ],
  [
    ['ask', '--method', '=', 'e'],
    ['ecso', 'eta'],
  ],
  [
    ['ask', '--method', '='],
    ['deep', 'ecso', 'eta', 'post', 'pre', 'shallow', 'steered', 'vanilla'],
  ],
  [
    ['ask', '--image', 'ph'],
    ['photo one.jpg', 'photos of mine'],
  ],
  [
    ['ask', '--clip', 'ph'],
    ['photo one.jpg', 'photos of mine'],
  ],
  [['ask', '--reward-model', 'ph'], ['photos of mine']],
  [['ask', '--models', 'm'], ['miniature']],
  [
    ['doctor', '--model', 'p'],
    ['photo one.jpg', 'photos of mine'],
  ],
  [['models', 'verify', 'x', 'mini'], ['miniature']],
  [['models', 'convert', 'c'], ['clip']],
  [
    ['models', 'convert', 'reward', '--weights', 'int'],
    ['int4', 'int8'],
  ],
  [['benchmark', 'fig'], ['figstep']],
  [['benchmark', '--method', 'vanilla,et'], ['vanilla,eta']],
  [['benchmark', '--method', 'vanilla,v'], []],
  [['benchmark', '--method', 'eta,post,p'], ['eta,post,pre']],
  [['experiment', '--limit', '3', 'ab'], ['ablation']],
  [['experiment', '--change', 'noise,bl'], ['noise,blur']],
  [['calibrate', '--safe', 'a', 'b', 'photos'], ['photos of mine']],
  [['calibrate', '--safe', 'a', '--unsafe-a'], ['--unsafe-answers']],
  [['help', 'de'], ['demo']],
  [['help', 'do'], ['doctor']],
  [
    ['completion', ''],
    ['bash', 'zsh'],
  ],
  [['ask', '--n', ''], []],
  [['ask', '--verbose', 'What is this?', '--js'], ['--json']],
];

test('bash completes commands, flags, choices, names and files', { skip: !has('bash') && 'no bash' }, () => {
  for (const [words, offers] of EXPECTED) assert.deepEqual(bashOffers(words).sort(), [...offers], words.join(' '));
});

test('every flag of every command is completed', { skip: !has('bash') && 'no bash' }, () => {
  for (const { name, flags } of shapesOf(createProgram(), {
    formats: [],
    rungs: [],
    models: [],
    form: [],
    benchmark: [],
    experiment: [],
    methods: [],
    changes: [],
  })) {
    if (name === 'help') continue;
    assert.ok(flags.length > 0, name);
    const offers = bashOffers([...name.split(' ').filter((word) => word !== ''), '-']);
    assert.deepEqual(offers.sort(), flags.flatMap(({ names }) => names).sort(), name);
  }
});

/** Types the line into an interactive zsh, presses tab, and returns what stands on the line, or below it. */
function zshShows(line: string): string {
  const script = `
zmodload zsh/zpty
zpty Z zsh -f -i
zpty -w Z "PS1='%# '; autoload -U compinit; compinit -u -D; source ../script.zsh; setopt no_beep; stty cols 120; print READ''Y"
zpty -r Z begun '*READY*'
zpty -n -w Z "$1"$'\\t'
repeat 40; do
  sleep 0.1
  while zpty -r -t Z piece; do print -rn -- "$piece"; still=0; done
  (( ++still > 8 )) && [[ -n $piece ]] && break
done
zpty -d Z`;
  const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', script, 'zsh', line], {
    encoding: 'utf8',
    cwd: join(folder, 'place'),
  });
  assert.equal(stderr, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what moves the cursor begins with one
  return stdout.replace(/\x1b\[[\d;?]*[A-Za-z]/g, '');
}

test('zsh completes them with their descriptions', { skip: !has('zsh') && 'no zsh' }, () => {
  assert.match(zshShows('eta-vlm '), /ask +-- Answer one question about pictures[\s\S]*models +-- List, fetch/);
  assert.match(zshShows('eta-vlm ask --m'), /--max-tokens +-- tokens of an answer[\s\S]*--models +-- models by name/);
  assert.match(zshShows('eta-vlm ask --method=sh'), /--method=shallow/);
  assert.match(zshShows('eta-vlm benchmark --method vanilla,et'), /vanilla,eta/);
  assert.match(zshShows('eta-vlm benchmark --method vanilla,eta,p'), /vanilla,eta,p[\s\S]*post +pre/);
  assert.doesNotMatch(zshShows('eta-vlm benchmark --method vanilla,v'), /vanilla,vanilla/);
  assert.match(zshShows('eta-vlm experiment ab'), /experiment ablation/);
  assert.match(zshShows('eta-vlm ask --trace photo\\ o'), /photo\\ one\.jpg/);
});

/** Placeholders for what only the user knows; a new one is either one of these or completes something. */
const FREE = [
  'question',
  'text',
  'name',
  'address',
  'url',
  'count',
  'number',
  'seed',
  'list',
  'cosine',
  'rate',
  'i/n',
  'pairs',
];

test('every placeholder completes something, or is known to complete nothing', () => {
  const names = {
    models: ['m'],
    form: ['f'],
    benchmark: ['b'],
    experiment: ['e'],
    methods: ['x'],
    changes: ['c'],
    formats: ['y'],
    rungs: ['z'],
  };
  const shapes = shapesOf(createProgram(), names);
  for (const command of withParts(createProgram())) {
    const shape = shapes.find(({ name }) => `eta-vlm ${name}`.trim() === nameOf(command));
    assert.ok(shape !== undefined);
    for (const option of command.options) {
      const found: FlagShape | undefined = shape.flags.find((flag) => flag.names.includes(option.long ?? ''));
      const placeholder = /[<[]([^.>\]]+)/.exec(option.flags)?.[1];
      if (placeholder === undefined) continue;
      assert.ok(found?.values);
      if (option.argChoices !== undefined) continue;
      assert.equal(found.values.kind === 'free', FREE.includes(placeholder), `${command.name()} ${option.flags}`);
    }
  }
});

test('what a shell would read is quoted', { skip: !has('bash') && 'no bash' }, () => {
  const script = `${table('f', [["it's $HOME", 'a `b` $(c) "d" \'e\'']])}\nf "it's" '$HOME'; printf %s "$said"`;
  assert.equal(spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout, 'a `b` $(c) "d" \'e\'');
});

test('another shell is refused with those there are', async () => {
  assertRefused(await run(['completion', 'fish']), {
    exitCode: 2,
    code: 'ERR_INVALID_OPTION',
    message: /Allowed choices are bash, zsh\. See 'eta-vlm completion --help'\./,
  });
});
