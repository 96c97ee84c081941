/** `eta-vlm serve` as its user has it: a process that listens, is asked, and is stopped. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../cli/command.js';
import { HARMLESS, type Json } from './served.js';
import { serving } from './serving.js';

const KEY = 'a-key-of-sixteen-or-more';

async function ask(url: string, body: Json, headers: Record<string, string> = {}): Promise<Response> {
  const all = { 'content-type': 'application/json', ...headers };
  return await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: all, body: JSON.stringify(body) });
}

test('it says where it listens, answers, writes a line without texts, and ends on SIGTERM', async () => {
  const { child, url, stderr } = await serving(['--log', 'requests', '--method', 'vanilla']);
  const response = await ask(url, { messages: HARMLESS, eta: {} });
  const { choices } = (await response.json()) as Json;
  assert.equal(choices[0].eta.verdict.action, 'answered');
  assert.equal(choices[0].eta.verdict.picture, null, 'the method of the command line');
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  assert.equal(code, 143);
  assert.match(stderr(), /POST \/v1\/chat\/completions 200 \d+ms answered \d+tokens chatcmpl-/);
  assert.ok(!stderr().includes('What do you see'));
});

test('with --log content the texts are in the line', async () => {
  const { child, url, stderr } = await serving(['--log', 'content']);
  await (await ask(url, { messages: HARMLESS })).json();
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  assert.equal(code, 130);
  assert.match(stderr(), /"asked":"What do you see in the image\?"/);
});

test('a key from a file, or from the environment', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-'));
  try {
    const file = join(folder, 'key.txt');
    writeFileSync(file, `${KEY}\n`);
    for (const [args, env] of [
      [['--api-key-file', file], {}],
      [[], { ETA_VLM_API_KEY: KEY }],
    ] as const) {
      const { child, url } = await serving([...args, '--host', '0.0.0.0'], env);
      const local = url.replace('0.0.0.0', '127.0.0.1');
      assert.equal((await ask(local, { messages: HARMLESS })).status, 401);
      assert.equal((await ask(local, { messages: HARMLESS }, { authorization: `Bearer ${KEY}` })).status, 200);
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

for (const [name, args, said] of [
  ['beyond this machine without a key', ['--host', '0.0.0.0'], /--api-key: expected a key for "0\.0\.0\.0"/],
  ['a short key', ['--api-key', 'short'], /--api-key: expected a key of at least 16 characters/],
  ['a file of a key that is not there', ['--api-key-file', '/nonexistent/key'], /--api-key-file: expected a file/],
  ['two keys', ['--api-key', KEY, '--api-key-file', 'x'], /cannot be used with/],
  ['a socket and a port', ['--socket', '/tmp/x', '--port', '1'], /cannot be used with/],
  ['a port that is none', ['--port', '70000'], /whole number from 0 to 65535/],
] as const) {
  test(`refused before the models load: ${name}`, async () => {
    const { code, stderr } = await run(['serve', '--models', 'no-such-models', ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, said);
    assert.ok(!stderr.includes('secret') && !stderr.includes(KEY), 'no key is in what is said');
  });
}
