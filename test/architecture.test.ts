/** Imports go down, never up or sideways: the rule of the house, read from the files. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const leaves = [
  'errors',
  'types',
  'same-types',
  'near-miss',
  'options',
  'cores',
  'abort',
  'work-group',
  'turns',
  'room',
  'lines',
  'visible',
  'json',
  'regular-file',
  'library-file',
  'shared-picture',
  'known-picture',
  'shared-weight',
  'shared-work',
  'side-by-side',
  'address-space',
  'shared-tokens',
];
/** What an Eta is made of, from the addon up. */
const answering = [
  'engine',
  'onnx',
  'manifest',
  'tokenizer',
  'prefixes',
  'clip',
  'reward',
  'decision',
  'search',
  'models',
  'image',
  'policy',
  'steering',
  'loading',
  'eta',
];
/** What is asked of many requests, and told about them. */
const measuring = ['batch', 'judges', 'statistics', 'report', 'calibration', 'benchmark', 'experiment'];

/** Room (a folder of src, or a file there) to the rooms it may import, from the ground up. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  visible: [],
  errors: ['visible'],
  types: [],
  cores: [],
  lines: [],
  'side-by-side': [],
  json: [],
  abort: ['errors'],
  'work-group': ['abort'],
  turns: ['errors'],
  room: ['abort', 'errors'],
  'same-types': [],
  'near-miss': [],
  options: ['errors', 'near-miss', 'same-types', 'visible'],
  'regular-file': ['errors', 'options'],
  'library-file': [],
  'address-space': ['errors'],
  'shared-tokens': [],
  'shared-picture': ['errors', 'options', 'types', 'shared-weight'],
  'known-picture': ['types', 'shared-picture'],
  'shared-weight': [],
  'shared-work': ['abort'],
  outputs: ['errors', 'options'],
  tables: leaves,
  image: leaves,
  native: leaves,
  verified: ['outputs', ...leaves],
  jinja: leaves,
  engine: ['native', 'jinja', ...leaves],
  onnx: ['native', 'verified', ...leaves],
  manifest: ['verified', ...leaves],
  tokenizer: leaves,
  clip: ['verified', 'onnx', 'manifest', 'tokenizer', ...leaves],
  prefixes: leaves,
  reward: ['verified', 'onnx', 'manifest', 'tokenizer', 'prefixes', 'jinja', ...leaves],
  decision: ['prefixes', ...leaves],
  search: leaves,
  hub: ['outputs', ...leaves],
  models: ['hub', ...leaves],
  converter: ['models', ...leaves],
  policy: leaves,
  steering: ['engine', 'image', 'models', 'outputs', ...leaves],
  loading: [
    'verified',
    'engine',
    'onnx',
    'manifest',
    'clip',
    'reward',
    'decision',
    'hub',
    'models',
    'policy',
    'steering',
    ...leaves,
  ],
  eta: ['search', 'engine', 'clip', 'reward', 'decision', 'models', 'image', 'policy', 'loading', ...leaves],
  index: ['eta', 'loading', 'policy', 'models', 'image', ...leaves],
  'chat-form': leaves,
  batch: [
    'index',
    'verified',
    'chat-form',
    'tables',
    'eta',
    'loading',
    'policy',
    'models',
    'engine',
    'manifest',
    'image',
    'outputs',
    ...leaves,
  ],
  server: ['index', 'chat-form', 'eta', 'policy', 'models', 'manifest', 'image', ...leaves],
  // It runs in a browser: texts, numbers and types alone.
  page: ['report', 'types'],
  statistics: leaves,
  report: ['statistics', 'outputs', ...leaves],
  judges: ['engine', 'image', 'models', 'statistics', ...leaves],
  calibration: ['index', 'verified', ...answering, 'statistics', 'report', ...leaves],
  benchmark: [
    'index',
    'eta',
    'policy',
    'models',
    'image',
    'batch',
    'judges',
    'statistics',
    'report',
    'tables',
    'outputs',
    ...leaves,
  ],
  experiment: ['index', ...answering, 'benchmark', 'batch', 'judges', 'statistics', 'report', 'outputs', ...leaves],
  terminal: ['outputs', ...leaves],
  cli: ['index', 'server', 'native', 'hub', ...answering, ...measuring, 'converter', 'outputs', 'terminal', ...leaves],
};

/** Rooms that are known by type alone. */
const MAY_IMPORT_TYPES: Readonly<Record<string, readonly string[]>> = {
  search: ['engine'],
  prefixes: ['engine'],
  reward: ['engine'],
  decision: ['engine'],
};

/** Rooms without an index: their files are imported one by one. */
const WITHOUT_INDEX: readonly string[] = ['types', 'native', 'terminal', 'page', 'cli'];

/** What a command or the page imports, it loads: they take single files of other rooms, and not all that an index is. */
const PAST_INDEXES: readonly string[] = ['cli', 'page'];

/** Files that others may import past the index of their room, each with what the index would cost. */
const SIDE_DOORS: readonly string[] = [
  'engine/conversation-forms', // the names of the forms, without the addon
  'engine/gpu-layers', // one number's schema, without the addon
  'loading/defaults', // numbers for the command line's help
  'models/gguf-file', // what converters read of a file, which is no model yet
  'models/model-shape',
];

/** Packages that one file alone may import. */
const ONE_FILE: Readonly<Record<string, string>> = {
  'onnxruntime-node': 'onnx/worker-thread.ts',
  sharp: 'image/sharp.ts',
  vega: 'report/drawing-thread.ts',
  'vega-lite': 'report/drawing-thread.ts',
  '@huggingface/jinja': 'jinja/values.ts',
};

/** The page runs in a browser: of the library it takes types, and what shows texts and numbers. */
const PAGE_ROOM = 'page';
const PAGE_MAY_IMPORT = /^\.\.\/(types\/[\w-]+|report\/texts|report\/numbers)\.js$/;

/** Its errors cross to the main thread as messages, where they become an EvaluatorError. */
const WORKER_ENTRY = 'onnx/worker-thread.ts';

/** The one file that loads the addon, and the room that knows its name. */
const ADDON_FILE = 'native/binding.ts';
const ADDON_ROOM = 'native';

interface Import {
  readonly from: string;
  readonly isType: boolean;
}

function importsOf(text: string): Import[] {
  const found: Import[] = [];
  const script = /<script lang="ts">([\s\S]*?)<\/script>/.exec(text)?.[1]?.replace(/^ {2}/gm, '') ?? text;
  const code = script.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  for (const [, clause = '', from = ''] of code.matchAll(/^(?:import|export)\s+([^;'"]*?)\s+from\s+'([^']+)'/gm)) {
    const names =
      /^\{([^}]*)\}$/
        .exec(clause)?.[1]
        ?.split(',')
        .map((name) => name.trim()) ?? [];
    const areTypes = names.length > 0 && names.every((name) => name === '' || name.startsWith('type '));
    found.push({ from, isType: /^type\b/.test(clause) || areTypes });
  }
  for (const [, from = ''] of code.matchAll(/^import\s+'([^']+)'/gm)) found.push({ from, isType: false });
  for (const [, from = ''] of code.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)) found.push({ from, isType: false });
  return found;
}

const roomOf = (path: string) => (path.split('/')[0] ?? '').replace(/\.(ts|js)$/, '');

/** Whether it is a file within a room, neither its index nor a side door. */
function isPastIndex(path: string): boolean {
  const [room = '', file] = path.split('/');
  if (room === '..' || file === undefined || /^index(\.js)?$/.test(file) || WITHOUT_INDEX.includes(room)) return false;
  return !SIDE_DOORS.includes(path.replace(/\.(ts|js)$/, ''));
}

/** What is broken in a file of src. */
function breaches(path: string, text: string): string[] {
  const room = roomOf(path);
  const allowed = MAY_IMPORT[room];
  if (allowed === undefined) return [`${path}: a room that the house does not have`];
  const found: string[] = [];
  for (const { from, isType } of importsOf(text)) {
    if (from.startsWith('.')) {
      const other = roomOf(posix.join(posix.dirname(path), from));
      const mayType = isType && (MAY_IMPORT_TYPES[room] ?? []).includes(other);
      const leavesSource = other === '..';
      if (leavesSource && room === 'cli') continue; // the build script, which is no TypeScript
      if (other !== room && !allowed.includes(other) && !mayType) found.push(`${path}: imports ${from}`);
      if (other !== room && !PAST_INDEXES.includes(room) && isPastIndex(posix.join(posix.dirname(path), from)))
        found.push(`${path}: imports ${from}, past its room's index`);
      const isBundled = room === PAGE_ROOM && /\.(svelte|css)$/.test(from);
      if (!from.endsWith('.js') && !isBundled) found.push(`${path}: ${from} lacks .js`);
      if (room === PAGE_ROOM && from.startsWith('../') && !PAGE_MAY_IMPORT.test(from))
        found.push(`${path}: imports ${from}, which no browser runs`);
    } else if (ONE_FILE[from] !== undefined && ONE_FILE[from] !== path) {
      found.push(`${path}: imports ${from}, which is for ${ONE_FILE[from]} alone`);
    }
  }
  if ((path !== ADDON_FILE && /\bprocess\.dlopen\b/.test(text)) || (room !== ADDON_ROOM && /\.node['"`]/.test(text)))
    found.push(`${path}: loads a binary, which is for ${ADDON_FILE} alone`);
  if (path !== 'errors.ts' && path !== WORKER_ENTRY && /\bthrow new Error\(/.test(text))
    found.push(`${path}: throws a plain Error`);
  return found;
}

const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => /\.(ts|svelte)$/.test(path));

test('every import goes down', () => {
  assert.ok(files.length > 50, `only ${files.length} files were found`);
  const broken = files.flatMap((path) => breaches(path, readFileSync(join(root, 'src', path), 'utf8')));
  assert.deepEqual(broken, []);
});

test('no file lies deeper than src/room/file; a command of the command line has a folder', () => {
  assert.deepEqual(
    files.filter((path) => path.split('/').length > (path.startsWith('cli/') ? 3 : 2)),
    [],
  );
});

test('what lies beside the package is found from src/room/file alone: the bundle of the command line lies as deep', () => {
  const asking = files.filter((path) => readFileSync(join(root, 'src', path), 'utf8').includes('import.meta'));
  assert.ok(asking.length > 10);
  assert.deepEqual(
    asking.filter((path) => path.split('/').length !== 2),
    [],
  );
});

test('the packages that one file may import are imported there', () => {
  for (const [name, path] of Object.entries(ONE_FILE)) {
    const text = readFileSync(join(root, 'src', path), 'utf8');
    assert.ok(
      importsOf(text).some(({ from }) => from === name) || text.includes(`'${name}'`),
      `${path} does not import ${name}`,
    );
  }
});

test('what speaks HTTP is imported by the server alone', () => {
  const isOfServer = (from: string) => /^(hono|@hono\/[\w-]+)(\/|$)/.test(from);
  const importing = files.filter((path) =>
    importsOf(readFileSync(join(root, 'src', path), 'utf8')).some(({ from }) => isOfServer(from)),
  );
  assert.ok(importing.length > 1);
  assert.deepEqual(
    importing.filter((path) => roomOf(path) !== 'server'),
    [],
  );
});

test('every package that is imported is a dependency', () => {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    optionalDependencies: Record<string, string>;
  };
  // tsx starts the worker from source, in this repository alone
  const known = new Set([...Object.keys({ ...dependencies, ...optionalDependencies }), 'tsx']);
  const unbundled = files.filter((path) => roomOf(path) !== PAGE_ROOM);
  const missing = unbundled.flatMap((path) =>
    importsOf(readFileSync(join(root, 'src', path), 'utf8'))
      .map(({ from }) => from)
      .filter((from) => !from.startsWith('.') && !from.startsWith('node:'))
      .map((from) =>
        from
          .split('/')
          .slice(0, from.startsWith('@') ? 2 : 1)
          .join('/'),
      )
      .filter((name) => !known.has(name))
      .map((name) => `${path}: ${name}`),
  );
  assert.deepEqual(missing, []);
});

test('the check sees what breaks the rule', () => {
  const broken: readonly (readonly [path: string, text: string])[] = [
    ['engine/model.ts', "import { Clip } from '../clip/index.js';"],
    ['eta/decide.ts', "import { flatOf } from '../engine/content-chain.js';"],
    ['engine/model.ts', "import type { EtaResult } from '../eta/index.js';"],
    ['search/best-of-n.ts', "import { Sequence } from '../engine/index.js';"],
    ['search/best-of-n.ts', "import { type Sequence, Model } from '../engine/index.js';"],
    ['search/best-of-n.ts', "const { Model } = await import('../engine/index.js');"],
    ['search/best-of-n.ts', "import type {\n  EtaResult,\n} from '../eta/index.js';"],
    ['types/notice.ts', "export { EtaError } from '../errors.js';"],
    ['eta/eta.ts', "import sharp from 'sharp';"],
    ['eta/eta.ts', "import { ask } from '../cli/ask.js';"],
    ['eta/eta.ts', "import { Model } from '../engine/index';"],
    ['clip/clip.ts', "import * as ort from 'onnxruntime-node';"],
    ['engine/model.ts', "const addon = createRequire(import.meta.url)('./x.node');"],
    ['eta/eta.ts', "throw new Error('no');"],
    ['helpers/x.ts', ''],
    ['page/texts.ts', "import { writeReport } from '../report/index.js';"],
    ['page/texts.ts', "import { texts } from '../report/style.js';"],
    ['page/App.svelte', '<script lang="ts">\n  import { Eta } from \'../report/draw.js\';\n</script>'],
  ];
  for (const [path, text] of broken) assert.equal(breaches(path, text).length, 1, `${path}: ${text}`);
});

test('the check lets pass what keeps it', () => {
  const kept: readonly (readonly [path: string, text: string])[] = [
    ['search/best-of-n.ts', "import type { Sequence } from '../engine/index.js';"],
    ['search/best-of-n.ts', "import { type Sequence, type TokenSet } from '../engine/index.js';"],
    ['eta/eta.ts', "import { Model } from '../engine/index.js';\nimport { a } from './align.js';"],
    ['eta/eta.ts', "import { GPU_LAYERS } from '../engine/gpu-layers.js';"],
    ['errors.ts', "throw new Error('x');"],
    ['cli/ask.ts', "const { loadEta } = await import('../index.js');"],
    ['page/wire.ts', "import type { Verdict } from '../types/verdict.js';"],
    ['engine/model.ts', "import type { RgbImage } from '../types/picture.js';"],
    ['page/App.svelte', '<script lang="ts">\n  import Why from \'./Why.svelte\';\n</script>'],
    ['search/utility.ts', "/* import { x } from '../eta/index.js'; */"],
  ];
  for (const [path, text] of kept) assert.deepEqual(breaches(path, text), [], `${path}: ${text}`);
});
