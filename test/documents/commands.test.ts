/** Every command that a page tells to type is one: it has its options, its script, its file. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { type Command, CommanderError } from 'commander';
import { createProgram } from '../../src/cli/program.js';
import { EtaError } from '../../src/errors.js';
import { commandsOf, saidCommandsOf, shellWords, type Told, wordsOfOurs } from './commands.js';
import { exists, pages, read, root } from './pages.js';

const PAGES = pages().filter((page) => !/^(CHANGELOG|models\/world-2|\.github)/.test(page));
const TESTS = readdirSync(`${root}/test`, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.test.ts'),
);
/** Ours, and those of the app in examples/electron and of the site, which pages speak of. */
const SCRIPTS = ['package.json', 'examples/electron/package.json', 'site/package.json'].flatMap((path) =>
  Object.keys((JSON.parse(read(path)) as { scripts: object }).scripts),
);

const withParts = (command: Command): Command[] => [command, ...command.commands.flatMap(withParts)];

/** What is wrong with a command line of ours; null where it would be carried out. */
async function wrongWords(words: readonly string[]): Promise<string | null> {
  const program = createProgram();
  for (const command of withParts(program))
    command.action(() => undefined).configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return null;
  } catch (error) {
    if (error instanceof CommanderError && /^commander\.(help|version)/.test(error.code)) return null;
    if (error instanceof CommanderError || error instanceof EtaError) return error.message;
    throw error;
  }
}

/** What is wrong with `npm run …` or `node …`. */
function wrongFile({ words }: Told): string | null {
  const [program, ...rest] = words.filter((word) => !/^\w+=/.test(word));
  if (program === 'npm') {
    const [, name = '', ...behind] = rest;
    if (!SCRIPTS.includes(name)) return `there is no script ${name}`;
    if (name !== 'test:run') return null;
    const fragments = behind.filter((word) => word !== '--' && !word.startsWith('-'));
    const missed = fragments.find((fragment) => !TESTS.some((path) => path.includes(fragment)));
    return missed === undefined ? null : `no test has ${missed} in its path`;
  }
  const file = rest.find((word) => /\.(?:m?[jt]s)$/.test(word))?.replace('node_modules/eta-vlm/', '');
  return file === undefined || exists(file) || file.startsWith('node_modules/') ? null : `there is no file ${file}`;
}

/** Three dots stand for what the reader has to put there. */
const isWhole = ({ line }: Told) => !/\.\.\.|…|\[|\|/.test(line);

test('every command line of a page is one that the program takes', async () => {
  const faults: string[] = [];
  let count = 0;
  for (const told of PAGES.flatMap((page) => commandsOf(page)).filter(isWhole)) {
    const words = wordsOfOurs(told);
    if (words === null) continue;
    count++;
    const fault = await wrongWords(words);
    if (fault !== null) faults.push(`${told.page}: ${told.line}\n  ${fault}`);
  }
  assert.ok(count > 80, `only ${count} commands were found`);
  assert.deepEqual(faults, []);
});

test('every script and program that a page names is there', () => {
  const all = PAGES.flatMap((page) => [...commandsOf(page), ...saidCommandsOf(page)]).filter(isWhole);
  const others = all.filter((told) => wordsOfOurs(told) === null);
  assert.ok(others.length > 80, `only ${others.length} were found`);
  assert.deepEqual(
    others.flatMap((told) => {
      const fault = wrongFile(told);
      return fault === null ? [] : [`${told.page}: ${told.line}: ${fault}`];
    }),
    [],
  );
});

test('the checks see a wrong option, a value that is none, a missing script and a missing file', async () => {
  const page =
    '```\n$ npx eta-vlm ask --imge a.png "What is it?" | jq .   # no\nnpm run none\nnode --import tsx bench/none.ts\n```\n';
  const [ask, script, file] = commandsOf('page', page);
  assert.ok(ask !== undefined && script !== undefined && file !== undefined);
  assert.deepEqual(wordsOfOurs(ask), ['ask', '--imge', 'a.png', 'What is it?']);
  assert.match((await wrongWords(wordsOfOurs(ask) ?? [])) ?? '', /--imge/);
  assert.match((await wrongWords(['batch'])) ?? '', /\S/);
  assert.match((await wrongWords(['ask', '--method', 'none', 'What?'])) ?? '', /\S/);
  assert.equal(wrongFile(script), 'there is no script none');
  assert.equal(wrongFile(file), 'there is no file bench/none.ts');
  assert.match(wrongFile({ page, line: '', words: shellWords('npm run test:run -- none/such') }) ?? '', /none\/such/);
});
