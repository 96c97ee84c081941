import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { createProgram } from '../../src/cli/program.js';
import { METHODS } from '../../src/policy/methods.js';
import { POLICIES, POLICY_NAMES } from '../../src/policy/policy.js';
import { packageRoot } from './command.js';

const read = (path: string) => readFileSync(join(packageRoot, path), 'utf8');
const documents = [
  'README.md',
  'CHANGELOG.md',
  'bench/README.md',
  ...readdirSync(join(packageRoot, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

test('every link into the repository leads somewhere', () => {
  for (const path of documents) {
    for (const [, target = ''] of read(path).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const place = file === '' ? join(packageRoot, path) : resolve(packageRoot, dirname(path), file);
      assert.ok(existsSync(place), `${path} links to ${target}`);
      if (anchor === undefined) continue;
      const anchors = [...readFileSync(place, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading));
      assert.ok(anchors.includes(anchor), `${path} links to ${target}; that document has ${anchors.join(', ')}`);
    }
  }
});

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replace(/\s+/g, '-');
}

test('every document of docs/ is in its index', () => {
  const index = read('docs/README.md');
  for (const path of documents.filter((name) => name.startsWith('docs/') && name !== 'docs/README.md')) {
    assert.ok(index.includes(`(${path.replace('docs/', '')})`), path);
  }
});

test('documents and command line name the same options', () => {
  const program = createProgram();
  const known = new Set(
    [program, ...program.commands].flatMap(({ options }) => options.map(({ long }) => long ?? '')).concat('--help'),
  );
  // Those of parts (models convert) may stand there; the help of each tells all of them.
  const ofParts = program.commands.flatMap(({ commands }) => commands.flatMap(({ options }) => options));
  const text = read('docs/cli.md');
  const named = new Set([...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([option]) => option));
  for (const option of named) {
    if (option === '--imge' || option === '--format') continue; // the near miss of the example, and an option of git
    const isOfPart = ofParts.some(({ long }) => long === option);
    assert.ok(known.has(option) || isOfPart, `docs/cli.md names ${option}, which no command has`);
  }
  for (const option of known) assert.ok(named.has(option) || option === '--version', `docs/cli.md lacks ${option}`);
});

test('the README names every policy and method, and the numbers they share', () => {
  const text = read('README.md');
  for (const name of [...POLICY_NAMES, ...METHODS]) assert.ok(text.includes(`\`${name}\``), name);
  const { standard, paper } = POLICIES;
  const differing = (Object.keys(paper) as (keyof typeof paper)[]).filter(
    (name) => name !== 'name' && paper[name] !== standard[name],
  );
  assert.deepEqual(
    differing.sort(),
    ['mayBeEmpty', 'sentenceEnd', 'whenStillUnsafe'],
    'the table of README.md lists these',
  );
  assert.ok(
    text.includes(
      `N = ${paper.candidateCount}, temperature ${paper.temperature}, top-k ${paper.topK}, ${paper.sentenceTokenLimit} tokens a sentence, ${paper.maxTokens} an answer`,
    ),
  );
});
