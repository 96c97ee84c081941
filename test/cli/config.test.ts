/** What the command line takes where nothing is said: its own file, a variable, names of one's own. The library reads none. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { configPath } from '../../src/cli/config/config-file.js';
import { progressText } from '../../src/cli/models/pull.js';
import { assertRefused, packageRoot, run } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-config-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;

const miniature = join(packageRoot, 'models/miniature');
const parts = ['language-model.gguf', 'projector.gguf', 'clip', 'reward-model'].map((name) => join(miniature, name));

/** A home with nothing in it, or with a file of choices. */
function home(config?: unknown) {
  const XDG_CONFIG_HOME = join(folder, String(++count));
  const path = join(XDG_CONFIG_HOME, 'eta-vlm', 'config.json');
  if (config !== undefined) {
    mkdirSync(join(XDG_CONFIG_HOME, 'eta-vlm'), { recursive: true });
    writeFileSync(path, typeof config === 'string' ? config : JSON.stringify(config));
  }
  const cli = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    run(args, { env: { XDG_CONFIG_HOME, ...env } });
  const ask = (...args: string[]) =>
    cli([
      'ask',
      '--image',
      join(miniature, 'pictures/drawn-08.png'),
      '--seed',
      '1',
      '--json',
      ...args,
      'What is this?',
    ]);
  return { path, cli, ask };
}

test('where it lies on each system', () => {
  const at = (platform: NodeJS.Platform, env: Readonly<Record<string, string>> = {}) => configPath(env, platform);
  assert.equal(at('linux'), join(homedir(), '.config/eta-vlm/config.json'));
  assert.equal(at('darwin'), join(homedir(), 'Library/Application Support/eta-vlm/config.json'));
  assert.equal(at('win32', { APPDATA: '/r' }), '/r/eta-vlm/config.json');
  assert.equal(at('linux', { XDG_CONFIG_HOME: '/x' }), '/x/eta-vlm/config.json');
});

test('config: what counts and from where; nothing is written', async () => {
  const { cli, path } = home();
  const { stdout, code } = await cli(['config'], { HF_HUB_CACHE: '/models', HF_TOKEN: 'hf_secret' });
  assert.equal(code, 0);
  assert.match(stdout, /^file {12}.*config\.json, not there: the defaults hold$/m);
  assert.match(stdout, /^models {10}miniature \(default\)$/m);
  assert.match(stdout, /^models folder {3}\/models \(HF_HUB_CACHE\)$/m);
  assert.match(stdout, /^hub {13}https:\/\/huggingface\.co\/ \(default\)$/m);
  assert.match(stdout, /^token {11}set \(HF_TOKEN\)/m);
  assert.ok(!stdout.includes('hf_secret'));
  assert.equal(existsSync(path), false);
});

test('add, use, and what goes before what: options, the variable, the file', async () => {
  const { cli, ask, path } = home();
  const added = await cli(['models', 'add', 'mine', ...parts]);
  assert.equal(added.code, 0, added.stderr);
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')).added.mine, {
    languageModel: parts[0],
    projector: parts[1],
    clip: parts[2],
    rewardModel: parts[3],
  });
  await cli(['models', 'add', 'whole', miniature]);
  assert.equal((await cli(['models', 'use', 'mine'])).code, 0);
  assert.match((await cli(['config'])).stdout, new RegExp(`^models {10}mine \\(${path}\\)$`, 'm'));
  assert.match((await cli(['config'], { ETA_VLM_MODELS: 'whole' })).stdout, /^models {10}whole \(ETA_VLM_MODELS\)$/m);
  const answered = await ask();
  assert.equal(answered.code, 0, answered.stderr);
  assert.equal(answered.stderr, '', 'models were named, so nothing is said of the miniature');
  assertRefused(await ask('--models', 'none'), {
    exitCode: 1,
    code: 'ERR_MODEL_NOT_FOUND',
    message: /received "none"/,
  });
  const listed = await cli(['models', 'list']);
  assert.match(listed.stdout, /^mine \(in use\)$/m);
  await cli(['models', 'remove', 'mine']);
  assert.match((await cli(['config'])).stdout, /^models {10}miniature \(default\)$/m);
  assert.ok(existsSync(parts[0] as string), 'files of one’s own stay');
  assert.equal((await cli(['models', 'use', 'whole'])).code, 0);
  assert.equal((await cli(['models', 'use', 'miniature'])).code, 0);
  assert.equal(JSON.parse(readFileSync(path, 'utf8')).models, undefined);
});

test('the policy of the file holds for answers, and an option goes before it', async () => {
  const { cli } = home({ version: 1, policy: 'paper' });
  assert.match((await cli(['config'])).stdout, /^policy {10}paper \(/m);
  const requests = join(folder, 'requests.jsonl');
  writeFileSync(requests, '{"id":"a","prompt":"Hello"}\n');
  const policyOf = async (...args: string[]) => {
    const out = join(folder, `answers-${++count}.jsonl`);
    const ended = await cli(['batch', requests, '--out', out, '--method', 'vanilla', ...args]);
    assert.equal(ended.code, 0, ended.stderr);
    return /"policy": *\{[^}]*"name": *"(\w+)"/.exec(readFileSync(`${out}.settings.json`, 'utf8'))?.[1];
  };
  assert.equal(await policyOf(), 'paper');
  assert.equal(await policyOf('--policy', 'standard'), 'standard');
});

test('a set of one’s own whose files are gone is told of, beside the others', async () => {
  const { cli } = home({ version: 1, added: { gone: { languageModel: '/nowhere/x.gguf' } } });
  const { code, stdout } = await cli(['models', 'list']);
  assert.equal(code, 3);
  assert.match(stdout, /^gone\n {2}cannot be used {2}models\.languageModel: expected the GGUF .*nowhere\/x\.gguf/m);
  assert.match(stdout, /^miniature \(in use\)$/m);
});

test('names and paths that cannot be', async () => {
  const { cli } = home();
  const add = (...args: string[]) => cli(['models', 'add', ...args]);
  for (const [args, code, message] of [
    [['miniature', miniature], 'ERR_INVALID_OPTION', /that is not taken \(miniature, laptop-8gb/],
    [['a/b', miniature], 'ERR_INVALID_OPTION', /a name of letters, digits/],
    [['__proto__', miniature], 'ERR_INVALID_OPTION', /a name of letters, digits/],
    [['constructor', miniature], 'ERR_INVALID_OPTION', /a name of letters, digits/],
    [['toString', miniature], 'ERR_INVALID_OPTION', /a name of letters, digits/],
    [['x', parts[2]], 'ERR_INVALID_OPTION', /the GGUF of a language model among the paths/],
    [['x', parts[0], parts[0]], 'ERR_INVALID_OPTION', /received two for the languageModel/],
    [['x', folder], 'ERR_MODEL_NOT_FOUND', /Expected a GGUF, or the folder of a CLIP/],
    [['x', join(folder, 'none.gguf')], 'ERR_MODEL_NOT_FOUND', /none\.gguf/],
  ] as const) {
    const exitCode = code === 'ERR_INVALID_OPTION' ? 2 : 1;
    assertRefused(await add(...(args as readonly string[])), { exitCode, code, message });
  }
  assertRefused(await cli(['models', 'use', 'none']), { exitCode: 1, code: 'ERR_MODEL_NOT_FOUND', message: /none/ });
  assertRefused(await cli(['models', 'remove', 'none']), {
    exitCode: 1,
    code: 'ERR_MODEL_NOT_FOUND',
    message: /received "none"/,
  });
});

test('a file that holds something else is named, and never written over', async () => {
  for (const text of ['{', '{"version":2}', '{"version":1,"model":"x"}', '[]']) {
    const { cli, ask, path } = home(text);
    const refusal = {
      exitCode: 1,
      code: 'ERR_FILE_INVALID',
      message: /config\.json: expected the choices of eta-vlm; .*take it away/,
    };
    assertRefused(await ask(), refusal);
    assertRefused(await cli(['models', 'use', 'miniature']), refusal);
    assert.equal(readFileSync(path, 'utf8'), text);
  }
});

test('progress in one line: how far, how fast, how long', () => {
  const at = { repo: 'a/b', path: 'x/model.gguf', receivedBytes: 1, sizeBytes: 2, waitsFor: null };
  assert.equal(
    progressText(at, { receivedBytes: 2 ** 20, wantedBytes: 2 ** 22, ms: 4000 }),
    'fetching model.gguf ... 25 % of 4.0 MiB, 256.0 KiB/s, 12 s left',
  );
  assert.equal(
    progressText({ ...at, waitsFor: 7 }, { receivedBytes: 0, wantedBytes: 2, ms: 1 }),
    'waiting for process 7, which fetches model.gguf ...',
  );
});

test('one that may not be read', { skip: process.getuid?.() === 0 }, async () => {
  const { cli, path } = home({ version: 1 });
  chmodSync(path, 0);
  assertRefused(await cli(['config']), { exitCode: 1, code: 'ERR_FILE_READ', message: /EACCES/ });
});

test('a name of one’s own does not stand for a shipped set, nor for an address', async () => {
  for (const name of ['miniature', 'laptop-8gb', 'hf:acme/tiny', '']) {
    const { cli } = home({ version: 1, added: { [name]: miniature } });
    const { code, stderr } = await cli(['config']);
    assert.equal(code, 1, name);
    assert.match(stderr, /config\.json: .*expected names .* that no shipped set has.*ERR_FILE_INVALID/);
  }
  const { cli } = home({ version: 1, added: { mine: miniature } });
  assert.equal((await cli(['config'])).code, 0);
});

test('a pipe, a folder or something huge in its place is an error, and nothing waits', async () => {
  const places: [string, (path: string) => void][] = [
    ['a pipe', (path) => execFileSync('mkfifo', [path])],
    ['a folder', (path) => mkdirSync(path)],
    ['bytes', (path) => writeFileSync(path, ' '.repeat(2 ** 21))],
  ];
  for (const [what, make] of places) {
    const { cli, path } = home({ version: 1 });
    rmSync(path);
    make(path);
    const { code, stderr } = await cli(['config']);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`expected a file of at most 1048576 bytes .* received .*${what}`));
  }
});
