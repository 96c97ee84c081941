/** The codes of the addon stand in three places: its enum, their names, and the type that TypeScript knows. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** DECODE_FAILED of kDecodeFailed. */
const nameOf = (enumerator: string) =>
  enumerator
    .slice(1)
    .replace(/(?<!^)[A-Z]/g, '_$&')
    .toUpperCase();

test('the codes of C++ are those of error-types.ts', () => {
  const body = /enum class ErrorCode \{([^}]*)\}/.exec(read('native/engine/native_error.h'))?.[1] ?? '';
  const enumerators = [...body.matchAll(/\bk\w+/g)].map(([name]) => name);
  const named = [...read('native/js/errors.cpp').matchAll(/case ErrorCode::(k\w+):\s*return "(\w+)";/g)];
  const union = /export type NativeErrorCode =([\s\S]*);/.exec(read('src/native/error-types.ts'))?.[1] ?? '';
  const types = [...union.matchAll(/\| '(\w+)'/g)].map(([, code]) => code);
  assert.ok(types.length > 10);
  assert.deepEqual(
    named.map(([, enumerator]) => enumerator),
    enumerators,
    'each has its case',
  );
  for (const [, enumerator = '', name] of named) assert.equal(name, nameOf(enumerator));
  assert.deepEqual(enumerators.map(nameOf).sort(), types.sort());
});
