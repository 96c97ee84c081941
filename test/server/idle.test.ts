/** `--idle-unload`: models that nobody asks are given back, the next request loads them again, and health says which. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { loadTiny } from '../eta/tiny.js';
import { Asked, HARMLESS, type Json } from './served.js';
import { serving } from './serving.js';

const BODY: Json = { messages: [{ role: 'user', content: 'What?' }], max_tokens: 3, seed: 1 };

test('what was given back is loaded by the next request, which is answered the same', async () => {
  await using eta = await loadTiny({ idleUnloadMs: 60 });
  const asked = new Asked(eta);
  const first = await asked.chat(BODY);
  assert.equal(first.status, 200);
  assert.deepEqual((await asked.get('/health')).body, { status: 'ok', isLoaded: true });
  // Whoever looks from time to time keeps nothing in memory.
  while ((await asked.get('/health')).body['isLoaded'] === true) {
    assert.equal((await asked.get('/metrics')).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.match((await asked.get('/metrics')).body['text'], /^eta_vlm_models_loaded 0$/m);
  assert.equal((await asked.get('/eta/facts')).body['isLoaded'], false);
  assert.equal(eta.isLoaded, false, 'looking loads nothing');
  const again = await asked.chat(BODY);
  assert.deepEqual(again.body['choices'], first.body['choices']);
  assert.deepEqual((await asked.get('/health')).body, { status: 'ok', isLoaded: true });
  await asked.server.close();
});

test('the command: freed after its seconds, loaded by who asks next', async () => {
  const { child, url } = await serving(['--idle-unload', '1']);
  const isLoaded = async () => ((await (await fetch(`${url}/health`)).json()) as Json)['isLoaded'];
  const ask = async () =>
    await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: HARMLESS }),
    });
  const first = (await (await ask()).json()) as Json;
  while (await isLoaded()) await new Promise((resolve) => setTimeout(resolve, 50));
  const response = await ask();
  assert.equal(response.status, 200);
  const again = (await response.json()) as Json;
  assert.equal(again['choices'][0].message.content, first['choices'][0].message.content);
  assert.equal(await isLoaded(), true);
  child.kill('SIGTERM');
  await once(child, 'exit');
});
