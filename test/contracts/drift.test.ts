/** A schema and the interface that it is held to: `parseOptions` does not compile where they differ. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Editor } from './consumer.js';

const editor = new Editor({ exactOptionalPropertyTypes: false });
after(() => editor.close());

const PROGRAM = `
  import { z } from 'zod';
  import { parseOptions } from './src/options.js';

  const inner = z.strictObject({ depth: z.number().optional() });
  const schema = z.strictObject({
    count: z.int().default(3),
    mode: z.enum(['on', 'off']),
    inner: inner.optional(),
    list: z.array(inner).optional(),
    call: z.custom<(count: number) => void>().optional(),
    signal: z.custom<AbortSignal>().optional(),
  });
  interface Inner {
    depth?: number | undefined;
  }
  interface Options {
    count?: number | undefined;
    mode: 'on' | 'off';
    inner?: Inner | undefined;
    list?: readonly Inner[] | undefined;
    call?: ((count: number) => void) | undefined;
    signal?: AbortSignal | undefined;
  }
`;

/** Names of the fields in which an interface and the schema are said to differ; null where it compiles. */
function difference(type: string): string | null {
  editor.open(`${PROGRAM}\n  parseOptions(schema, {} as unknown as ${type}, 'options');\n`);
  const found = editor.mistakes();
  if (found.length === 0) return null;
  assert.equal(found.length, 1, JSON.stringify(found));
  const names = [...(found[0]?.message ?? '').matchAll(/"differs from its interface: (\w+)"/g)].map(([, name]) => name);
  return [...new Set(names)].join(', ');
}

test('what says the same compiles', () => {
  assert.equal(difference('Options'), null);
  assert.equal(difference('Options | undefined'), null);
  assert.equal(difference('Readonly<Options>'), null);
  assert.equal(difference("Options | { mode: 'on'; count?: undefined }"), null);
  assert.equal(difference('unknown'), null);
});

for (const [what, type, names] of [
  ['a field that the schema lacks', 'Options & { more?: number }', 'more'],
  ['a field that the interface lacks', "Omit<Options, 'call'>", 'call'],
  ['both', "Omit<Options, 'call'> & { cal?: Options['call'] }", 'call, cal'],
  ['a word too many', "Omit<Options, 'mode'> & { mode: 'on' | 'off' | 'auto' }", 'mode'],
  ['a word too few', "Omit<Options, 'mode'> & { mode: 'on' }", 'mode'],
  ['what must be there, and need not by the schema', "Omit<Options, 'count'> & { count: number }", 'count'],
  ['what need not be there, and must by the schema', "Omit<Options, 'mode'> & { mode?: 'on' | 'off' }", 'mode'],
  ['null', "Omit<Options, 'count'> & { count?: number | null }", 'count'],
  ['a field deeper down', "Omit<Options, 'inner'> & { inner?: Inner & { width?: number } }", 'inner'],
  ['a field of elements', "Omit<Options, 'list'> & { list?: (Inner & { width?: number })[] }", 'list'],
  ['one in place of several', "Omit<Options, 'list'> & { list?: Inner }", 'list'],
  ['another parameter', "Omit<Options, 'call'> & { call?: (count: string) => void }", 'call'],
  ['anything', "Omit<Options, 'count'> & { count?: any }", 'count'],
] as const) {
  test(`seen: ${what}`, () => assert.equal(difference(type), names));
}
