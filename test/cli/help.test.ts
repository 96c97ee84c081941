import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { assertRefused, packageRoot, run } from './command.js';

/** Scripts of ours and of packages that a command loaded, as V8 itself reports them. */
async function scriptsLoadedBy(args: readonly string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-coverage-'));
  try {
    await run(args, { env: { NODE_V8_COVERAGE: folder } });
    const [file] = readdirSync(folder);
    assert.ok(file !== undefined, 'expected V8 to report the scripts');
    const report: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const { result } = report as { result: readonly { url: string }[] };
    return result
      .map(({ url }) => url)
      .filter((url) => url.startsWith('file:'))
      .flatMap((url) => sourcesOf(fileURLToPath(url)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The sources in a file of the bundle, which names each above what it became; of any other file its path. */
function sourcesOf(path: string): string[] {
  const named = [...readFileSync(path, 'utf8').matchAll(/^\/\/ ((?:src|node_modules)\/\S+\.[cm]?[jt]s)$/gm)];
  const sources = named.map(([, source = '']) => source.replace(/^src\/(.*)\.ts$/, 'dist/$1.js'));
  return [path.replace(packageRoot, ''), ...sources].filter((name) => !name.startsWith('dist/command/'));
}

const isLight = (path: string) =>
  path.startsWith('dist/cli/') ||
  path.startsWith('dist/terminal/') ||
  [
    'dist/errors.js',
    'dist/near-miss.js',
    'dist/visible.js',
    'dist/options.js',
    'dist/onnx/provider.js',
    'dist/engine/conversation-forms.js',
    'dist/engine/gpu-layers.js',
    'dist/policy/policy.js',
    'dist/policy/methods.js',
    'dist/batch/defaults.js',
    'dist/batch/formats.js',
    'dist/benchmark/defaults.js',
    'dist/experiment/defaults.js',
    'dist/experiment/names.js',
    'dist/converter/weight-types.js',
  ].includes(path) ||
  path.startsWith('node_modules/commander/');

test('--help goes to stdout and names every command', async () => {
  const ended = await run(['--help']);
  assert.equal(ended.code, 0);
  assert.equal(ended.stderr, '');
  for (const word of ['ask', 'demo', 'doctor', 'build', 'Exit codes'])
    assert.match(ended.stdout, new RegExp(`\\b${word}`));
  assert.ok(
    ended.stdout.split('\n').every((line) => line.length <= 80),
    'expected lines of at most 80 characters',
  );
});

test('--help, --version and the help of a command load nothing but the command line itself', async () => {
  for (const args of [['--help'], ['--version'], ['ask', '--help'], ['experiment', '--help']]) {
    const scripts = await scriptsLoadedBy(args);
    assert.ok(scripts.includes('dist/cli/main.js'), `expected main.js among ${scripts.join(', ')}`);
    assert.deepEqual(
      scripts.filter((path) => !isLight(path)),
      [],
      `eta-vlm ${args.join(' ')}`,
    );
    assert.ok(
      !scripts.some((path) => /dist\/cli\/(ask|demo\/demo|doctor\/doctor|experiment\/experiment|build)\.js/.test(path)),
    );
  }
});

test('the check above sees a heavy module: a real question loads the whole package', async () => {
  const scripts = await scriptsLoadedBy(['ask', '--image', 'no-such-picture.png', 'What is this?']);
  assert.ok(
    scripts.some((path) => !isLight(path)),
    'expected more than the command line',
  );
});

test('-h and -V are --help and --version, for every command', async () => {
  for (const command of [[], ['ask'], ['batch', 'merge'], ['models', 'convert']]) {
    const [short, long] = [await run([...command, '-h']), await run([...command, '--help'])];
    assert.equal(short.code, 0);
    assert.equal(short.stdout, long.stdout);
    assert.match(short.stdout, new RegExp(`^Usage: eta-vlm ${command.join(' ')}`));
  }
  assert.equal((await run(['help', 'ask'])).stdout, (await run(['ask', '-h'])).stdout);
  assert.equal((await run(['-V'])).stdout, (await run(['--version'])).stdout);
});

test('a refusal points to the help of the command that was named', async () => {
  const calls = [
    [['--frob'], 'eta-vlm'],
    [['frob'], 'eta-vlm'],
    [['batch', '--frob'], 'eta-vlm batch'],
    [['batch', 'merge', 'a', '--frob'], 'eta-vlm batch merge'],
    [['models', 'frob'], 'eta-vlm models'],
    [['models', 'convert', 'reward'], 'eta-vlm models convert'],
    [['ask', '--n', '0', 'hello'], 'eta-vlm ask'],
  ] as const;
  for (const [args, name] of calls) {
    const { stderr, code } = await run(args);
    assert.ok(stderr.includes(`See '${name} --help'.`), stderr);
    assert.equal(code, 2);
  }
});

test('--version prints the version of package.json', async () => {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  const ended = await run(['--version']);
  assert.equal(ended.stdout, `${(manifest as { version: string }).version}\n`);
  assert.equal(ended.code, 0);
});

test('without a command the help goes to stderr, exit code 2', async () => {
  const ended = await run([]);
  assert.equal(ended.code, 2);
  assert.equal(ended.stdout, '');
  assert.match(ended.stderr, /Usage: eta-vlm/);
});

test('near misses are named', async () => {
  assertRefused(await run(['aks', 'hello']), {
    exitCode: 2,
    code: 'ERR_UNKNOWN_COMMAND',
    message: /unknown command 'aks'\. Did you mean 'ask'\?/,
  });
  assertRefused(await run(['ask', '--imge', 'a.png', 'hello']), {
    exitCode: 2,
    code: 'ERR_UNKNOWN_OPTION',
    message: /unknown option '--imge'\. Did you mean '--image'\?/,
  });
});

test('near misses are named of choices, of parts, and of what help is asked for', async () => {
  const calls = [
    [['ask', '--method', 'etta', 'hello'], "Did you mean 'eta'?"],
    [['ask', '--policy', 'papr', 'hello'], "Did you mean 'paper'?"],
    [['benchmark', '--method', 'vanila'], "received 'vanila'. Did you mean 'vanilla'?"],
    [['models', 'convert', 'rewrd', '--from', 'a', '--out', 'b'], "Did you mean 'reward'?"],
    [['batch', 'mrege', 'a', '--out', 'b'], "Did you mean 'merge'?"],
    [['models', 'lst'], "unknown command 'lst'. Did you mean 'list'?"],
    [['help', 'bach'], "unknown command 'bach'. Did you mean 'batch'?"],
    [['models', 'help', 'lst'], "unknown command 'lst'. Did you mean 'list'?"],
    [['help', 'nosuch'], "unknown command 'nosuch'. See 'eta-vlm --help'."],
    [['completion', 'fish'], "Allowed choices are bash, zsh. See 'eta-vlm completion --help'."],
    [['ask', 'What', 'is', 'it'], "Put the question in quotes. See 'eta-vlm ask --help'."],
  ] as const;
  for (const [args, said] of calls) {
    const { code, stdout, stderr } = await run(args);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' }, args.join(' '));
    assert.equal(stderr.split('\n').length, 2, stderr);
    assert.ok(stderr.includes(said), stderr);
  }
});

test('a list of solutions keeps its lines', async () => {
  const { code, stderr } = await run(['ask', 'hello'], { env: { ETA_VLM_ADDON: '/no/such/eta-vlm.node' } });
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^eta-vlm: Expected the native addon, found none: .* Possible solutions:\n(- .+\n){3}\(ERR_ADDON_NOT_FOUND\)\n$/,
  );
});

test('experiment takes every option of judging and deciding that benchmark has, but the methods', async () => {
  const flagsOf = async (command: string) => {
    const { stdout } = await run([command, '--help']);
    return [...stdout.matchAll(/^ +(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag);
  };
  const known = await flagsOf('experiment');
  const missing = (await flagsOf('benchmark')).filter((flag) => !known.includes(flag));
  assert.deepEqual(missing, ['--list', '--method']);
});

test('what is like nothing known is refused too', async () => {
  assertRefused(await run(['ask', '--frobnicate', 'hello']), {
    exitCode: 2,
    code: 'ERR_UNKNOWN_OPTION',
    message: /unknown option '--frobnicate'\. See 'eta-vlm ask --help'\./,
  });
  assertRefused(await run(['ask']), {
    exitCode: 2,
    code: 'ERR_INVALID_REQUEST',
    message: /missing required argument 'question'/,
  });
  assertRefused(await run(['ask', 'one', 'two']), {
    exitCode: 2,
    code: 'ERR_INVALID_REQUEST',
    message: /too many arguments/,
  });
});

test('a reader that has gone away (| head) ends the help without a word', async () => {
  const { code, stderr } = await run(['--help'], { closesStdout: true });
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
});
