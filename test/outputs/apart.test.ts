import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { checkApart, type Input, type Output } from '../../src/outputs/index.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-apart-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
for (const name of ['in', 'in/deep', 'out', 'elsewhere']) mkdirSync(at(name));
for (const name of ['a', 'b', 'in/x', 'elsewhere/y', 'elsewhere/z']) writeFileSync(at(name), name);
symlinkSync('a', at('link'));
linkSync(at('a'), at('hard'));
linkSync(at('elsewhere/z'), at('hard-z'));
symlinkSync(at('elsewhere/y'), at('in/leads-out'));
symlinkSync(at('in/deep'), at('into'));
symlinkSync(at('in'), at('in/deep/up'));

const file = (name: string): Output => ({ path: at(name), name: 'The trace' });
const read = (name: string, more: Partial<Input> = {}): Input => ({ path: at(name), name: 'the input', ...more });

describe('refused, and both are named', () => {
  const cases: readonly [what: string, outputs: readonly Output[], inputs: readonly Input[], received: RegExp][] = [
    ['an input', [file('a')], [read('b'), read('a')], /The trace: .*\/a", which is the input, ".*\/a"/],
    ['an input behind a link', [file('link')], [read('a')], /\/link", which is the input, ".*\/a"/],
    ['an input by another name', [file('hard')], [read('a')], /\/hard", which is the input/],
    ['an input that is named by a link', [file('a')], [read('link')], /which is the input, ".*link"/],
    [
      'an input that is not there',
      [file('none')],
      [{ ...read('none'), path: `${folder}/into/../../none` }],
      /which is the input/,
    ],
    [
      'what lies in another output',
      [file('new/report'), file('new')],
      [],
      /which lies in The trace, ".*\/new", which is a file/,
    ],
    [
      'what lies in a folder of another output',
      [{ ...file('new'), isFolder: true }, file('new/deep/x')],
      [],
      /, which is all its own/,
    ],
    ['another output', [file('new'), file('out/../new')], [], /which is The trace, ".*\/new" too/],
    ['a folder that is read', [file('in/new')], [read('in')], /lies in the input, ".*\/in"/],
    ['a folder below it', [file('in/deep/new')], [read('in')], /lies in the input/],
    ['a folder below it, through a link', [file('into/new')], [read('in')], /lies in the input/],
    ['what a link in it leads to', [file('elsewhere/y')], [read('in')], /is what ".*leads-out" leads to, in the input/],
    ['the folder of a data set', [file('in/new')], [read('in', { isOpenBelow: true })], /lies in the input/],
    ['a folder for a file', [file('out')], [], /which is a folder/],
    ['a file of several names', [file('hard-z')], [], /which has 2 names \(hard links\)/],
    ['a file for a folder', [{ ...file('a'), isFolder: true }], [], /which is no folder/],
    [
      'a folder of its own that holds an input',
      [{ ...file('in'), isFolder: true }],
      [read('in/x')],
      /which holds the input/,
    ],
    ['a folder that is an input', [{ ...file('in'), isFolder: true }], [read('in')], /which is the input/],
  ];
  for (const [what, outputs, inputs, message] of cases) {
    test(what, async () => {
      await assert.rejects(checkApart(outputs, inputs), { name: 'UsageError', code: 'ERR_INVALID_OPTION', message });
    });
  }
});

describe('let pass', () => {
  const cases: readonly [what: string, outputs: readonly Output[], inputs: readonly Input[]][] = [
    ['a file beside the inputs', [file('new'), file('b')], [read('a'), read('in')]],
    ['a name that begins alike', [file('in-other')], [read('in')]],
    ['a folder in that of a data set', [file('in/deep/new')], [read('in', { isOpenBelow: true })]],
    ['an input in the folder of the outputs', [file('in/new')], [read('in/x')]],
    ['a new folder', [{ ...file('out/new'), isFolder: true }], [read('in')]],
    ['inputs that are one file', [file('new')], [read('a'), read('link')]],
  ];
  for (const [what, outputs, inputs] of cases) {
    test(what, async () => {
      await checkApart(outputs, inputs);
    });
  }
});
