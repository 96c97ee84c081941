import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createProgram } from '../../src/cli/program.js';
import { METHODS } from '../../src/policy/methods.js';
import { POLICIES } from '../../src/policy/policy.js';
import { packageRoot } from './command.js';

const read = (path: string) => readFileSync(join(packageRoot, path), 'utf8');

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

test('docs/eta.md has every method, and what the policies differ in', () => {
  const text = read('docs/eta.md');
  for (const name of METHODS) assert.ok(text.includes(`\n| \`${name}\``), name);
  const { standard, balanced, paper } = POLICIES;
  const own = (Object.keys(balanced) as (keyof typeof balanced)[]).filter(
    (name) => name !== 'name' && balanced[name] !== standard[name],
  );
  assert.deepEqual(own.sort(), ['firstCandidateCount', 'gate', 'ladder'], 'the page explains these');
  assert.ok(text.includes(`| \`gate\` | \`${balanced.gate}\` |`));
  assert.ok(text.includes(`| \`firstCandidateCount\` | ${balanced.firstCandidateCount} |`));
  assert.ok(text.includes(`| \`ladder\` | ${balanced.ladder.map((rung) => `\`${rung}\``).join(', ')} |`));
  const differing = (Object.keys(paper) as (keyof typeof paper)[]).filter(
    (name) => name !== 'name' && paper[name] !== standard[name],
  );
  assert.deepEqual(differing.sort(), ['mayBeEmpty', 'sentenceEnd', 'whenStillUnsafe'], 'the page explains these');
  for (const row of [
    `| \`candidateCount\` | ${standard.candidateCount} | ${paper.candidateCount} |`,
    `| \`temperature\`, \`topK\` of the search | ${standard.temperature}, ${standard.topK} | ${paper.temperature}, ${paper.topK} |`,
    `| \`sentenceTokenLimit\` | ${standard.sentenceTokenLimit} | ${paper.sentenceTokenLimit};`,
    `| \`maxTokens\` | ${standard.maxTokens} | ${paper.maxTokens};`,
    `| \`sentenceEnd\` | \`${standard.sentenceEnd}\` | \`${paper.sentenceEnd}\` |`,
    `| \`whenStillUnsafe\` | \`${standard.whenStillUnsafe}\` | \`${paper.whenStillUnsafe}\` |`,
    `| \`mayBeEmpty\` | ${standard.mayBeEmpty} | ${paper.mayBeEmpty} |`,
  ])
    assert.ok(text.includes(row), row);
});
