import assert from 'node:assert/strict';
import { type Files, failure } from './folder.js';

/** Each of at least five broken folders ends in an error that holds the message. */
export async function breaks(
  name: string,
  cases: readonly (readonly [what: string, files: Files, message: string])[],
  variant?: string,
): Promise<void> {
  assert.ok(cases.length >= 5, `${name}: only ${cases.length} broken folders`);
  for (const [what, files, message] of cases) {
    const found = await failure(name, files, variant);
    assert.ok(found.includes(message), `${name}, ${what}: expected\n${message}\nreceived\n${found}`);
  }
}
