import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nameOf, withParts } from '../../src/cli/called.js';
import { createProgram } from '../../src/cli/program.js';
import { loadSchema } from '../../src/loading/load-options.js';
import { inFlags, OPTION_FLAGS } from '../../src/terminal/option-flags.js';
import { packageRoot } from './command.js';

const commands = withParts(createProgram()).map((command) => ({
  name: nameOf(command),
  flags: new Set(command.options.map(({ long }) => long ?? '')),
}));
const flagsOf = (name: string) => commands.find((command) => command.name === name)?.flags ?? new Set<string>();

/** Names that look like options and are none: fields of files, functions, what is not for callers of commands. */
const NO_OPTIONS = [
  'arXiv',
  'lowAnswerOrBoth', // a gate
  'nearestText', // a form of pictures
  'asarUnpack',
  'binariesGithubRelease', // a file
  'convertModel',
  'createServer',
  'currentColor',
  'decodeImage',
  'encodeImage',
  ...['gatePattern', 'padTo'], // of a manifest
  'languageModel', // in the message about a value of `models` that no command can give
  'rewardModel',
  'loadEta',
  'writeAnswers',
  'openTrunk', // every command that loads gives it
  'pairedCounts',
  'rateOfCounts',
  'stopReason', // of an answer's line
  ...['wordingSha256', 'isCalibrated', 'templateHolds', 'leastMass'], // of a decision's form
];

/** Every text of the library that has words in it, its expressions as `X`; an option that is chosen by one is filled in. */
function texts(): string[] {
  const root = join(packageRoot, 'src');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/^(cli|terminal|report)\b/.test(path))
    .flatMap((path) => {
      const code = readFileSync(join(root, path), 'utf8')
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .replace(/^\s*\/\/.*$/gm, '');
      return [...code.matchAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g)].map(([text]) =>
        text
          .slice(1, -1)
          .replace(/models\.\$\{[^}]*\}/g, 'models.rewardModel')
          .replace(/thresholds\.\$\{[^}]*\}/g, 'thresholds.safeReward')
          .replace(/\$\{[^}]*\}/g, ' X ')
          .replace(/\$\{.*$/s, '') // a text within a text is one of its own
          .trim(),
      );
    })
    .filter((text) => /[a-z] [a-z]/.test(text) && !/[=;]\s*\n|\breturn\b|=>/.test(text));
}

const namesIn = (text: string) =>
  text.match(/(?<![\w.-])(?:models\.|thresholds\.)?[a-z]+(?:[A-Z][a-z0-9]*)+(?!\w)/g) ?? [];

test('every option that loadEta takes has its flag, or is known to have none', () => {
  for (const name of Object.keys(loadSchema.shape)) assert.ok(Object.hasOwn(OPTION_FLAGS, name), name);
});

test('every flag of the table is one of a command', () => {
  const flags = new Set(commands.flatMap((command) => [...command.flags]));
  for (const [name, flag] of Object.entries(OPTION_FLAGS))
    if (flag !== null) assert.ok(flags.has(flag), `${name}: no command has ${flag}`);
});

test('every option that a message names is in the table', () => {
  const found = texts().flatMap(namesIn);
  assert.ok(found.includes('contextSize') && found.includes('models.rewardModel'), 'expected to find messages');
  assert.deepEqual(
    [...new Set(found)].filter((name) => !Object.hasOwn(OPTION_FLAGS, name) && !NO_OPTIONS.includes(name)),
    [],
  );
});

test('no command prints the name of an option of the library', () => {
  const messages = texts().filter((text) => namesIn(text).some((name) => Object.hasOwn(OPTION_FLAGS, name)));
  assert.ok(messages.length > 8, `only ${messages.length} messages were found`);
  for (const { name, flags } of commands) {
    for (const message of messages) {
      const said = inFlags(
        `Expected this, received that. ${message.charAt(0).toUpperCase()}${message.slice(1)}`,
        flags,
      );
      const left = namesIn(said).filter((option) => Object.hasOwn(OPTION_FLAGS, option));
      assert.deepEqual(left, [], `${name}: ${said}`);
    }
  }
});

test('a fact that names an option keeps it in its place', () => {
  const flags = flagsOf('eta-vlm batch');
  assert.equal(
    inFlags(
      'Expected the settings: contextSize was 1, is 2; policy.candidateCount was 5, is 8. Resume under those.',
      flags,
    ),
    'Expected the settings: --context-size was 1, is 2; --n was 5, is 8. Resume under those.',
  );
});

test('a value is written as a shell takes it', () => {
  const flags = flagsOf('eta-vlm batch');
  for (const [value, typed] of [
    ['prompt=question,image=img', 'prompt=question,image=img'],
    ['prompt=my question; really', "'prompt=my question; really'"],
    ['prompt="a, b",image=img', `'prompt="a, b",image=img'`],
    ['prompt=my/question,image=a', "'prompt=my/question,image=a'"],
  ])
    assert.equal(
      inFlags(`Expected that. Say it with map: '${value}'; no more.`, flags),
      `Expected that. Say it with --map ${typed}; no more.`,
    );
});

test('values, subjects and advice', () => {
  const [ask, demo, benchmark] = ['ask', 'demo', 'benchmark'].map((name) => flagsOf(`eta-vlm ${name}`));
  assert.ok(ask !== undefined && demo !== undefined && benchmark !== undefined);
  const missing =
    "models: expected CLIP for method 'eta', received none. Name its folder in models.clip. Or load with method: 'vanilla'.";
  assert.equal(
    inFlags(missing, ask),
    "--models: expected CLIP for method 'eta', received none. Name its folder in --clip. Or load with --method vanilla.",
  );
  assert.equal(inFlags(missing, demo), "Expected CLIP for method 'eta', received none.");
  assert.equal(
    inFlags('loadEta options: contextSize: expected an integer >= 1; received 0.', ask),
    '--context-size: expected an integer >= 1; received 0.',
  );
  assert.equal(
    inFlags('listen options: allowedHosts.1: expected a host; received "a/b".', flagsOf('eta-vlm serve')),
    '--allow-host: expected a host; received "a/b".',
  );
  const held = 'Expected no "overwrite: true. Or contextSize", received one. Begin anew with overwrite: true. Or wait.';
  assert.equal(
    inFlags(held, flagsOf('eta-vlm batch merge')),
    'Expected no "overwrite: true. Or contextSize", received one. Begin anew with --overwrite. Or wait.',
  );
  assert.equal(inFlags(held, benchmark), 'Expected no "overwrite: true. Or contextSize", received one. Or wait.');
});

test('what the user wrote stays as it is: paths in any form, names in quotes, escapes', () => {
  const flags = flagsOf('eta-vlm ask');
  const path = 'dir. With sentenceEnd in it/topK=5/thr.json';
  assert.equal(
    inFlags(`${path}: expected an object. Calibrate again.`, flags, { said: [path] }),
    `${path}: expected an object. Calibrate again.`,
  );
  for (const text of [
    'runs/topK=5/thresholds.json: expected an object.',
    "ENOENT: no such file or directory, access '/home/maxTokens/contextSize of mine'.",
    'C:\\runs\\maxTokens\\x.jsonl cannot be read.',
    "request: unknown option 'contextSize'. Known: prompt.",
  ])
    assert.equal(inFlags(text, flags), text);
  const long = `"${'\\"'.repeat(100_000)}`;
  assert.equal(inFlags(long, flags), long);
});
