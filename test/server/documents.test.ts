/** What the server says of itself: OpenAPI, metrics, models, facts, gallery. */
import assert from 'node:assert/strict';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { after, before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { Eta } from '../../src/index.js';
import { ADDRESS, Asked, HARMFUL, HARMLESS, type Json, loadMiniature } from './served.js';

let eta: Eta;
let asked: Asked;
before(async () => {
  eta = await loadMiniature();
  asked = new Asked(eta);
});
after(async () => {
  await asked.server.close();
  await eta.dispose();
});

test('the OpenAPI document is valid, and has every route', async () => {
  const { body } = await asked.get('/openapi.json');
  const { valid, errors } = await new Validator().validate(structuredClone(body));
  assert.ok(valid, JSON.stringify(errors));
  const broken = await new Validator().validate({ ...structuredClone(body), paths: { x: 1 } });
  assert.ok(!broken.valid, 'the validator sees what is wrong');
  const nowhere = await new Validator().validate({ ...structuredClone(body), servers: [{ description: 'here' }] });
  assert.ok(!nowhere.valid, 'in servers too');
  for (const path of [
    '/v1/chat/completions',
    '/v1/moderations',
    '/v1/decisions',
    '/v1/models',
    '/v1/models/{id}',
    '/health',
    '/metrics',
    '/eta/facts',
    '/eta/gallery',
    '/eta/gallery/{file}',
  ])
    assert.ok(body['paths'][path] !== undefined, path);
  const { properties } = body['paths']['/v1/chat/completions'].post.requestBody.content['application/json'].schema;
  for (const name of ['messages', 'n', 'seed', 'stop', 'stream', 'temperature', 'moderation'])
    assert.ok(name in properties, name);
  assert.ok('candidateCount' in properties.eta.properties);
  const answerOf = (path: string, method: string) =>
    body['paths'][path][method].responses[200].content['application/json'].schema.properties;
  const { pictures } = answerOf('/eta/gallery', 'get');
  assert.match(pictures.items.properties.url.description, /Relative to the address of the list/);
  assert.deepEqual(answerOf('/v1/decisions', 'post').usage, answerOf('/v1/chat/completions', 'post').usage);
});

test('metrics count what was served, under names of ours, as Prometheus reads them', async () => {
  await asked.chat({ messages: HARMLESS, seed: 1 });
  await asked.chat({ messages: HARMFUL, seed: 1 });
  await asked.chat({ messages: [] });
  const { body, headers } = await asked.get('/metrics');
  assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const lines: string[] = body['text'].trimEnd().split('\n');
  for (const line of lines)
    assert.match(line, /^(# (HELP|TYPE) eta_vlm_\w+ .+|eta_vlm_\w+(\{[\w]+="[^"\n]*"(,\w+="[^"\n]*")*\})? [\d.e+-]+)$/);
  const value = (start: string) =>
    Number(
      lines
        .find((line) => line.startsWith(`${start} `))
        ?.split(' ')
        .at(-1),
    );
  const route = 'route="/v1/chat/completions"';
  assert.equal(value(`eta_vlm_requests_total{${route},status="200",action="answered",code=""}`), 1);
  assert.equal(value(`eta_vlm_requests_total{${route},status="200",action="aligned",code=""}`), 1);
  assert.equal(value(`eta_vlm_requests_total{${route},status="400",action="none",code="ERR_INVALID_OPTION"}`), 1);
  assert.equal(value(`eta_vlm_request_seconds_count{${route}}`), 3);
  assert.equal(value(`eta_vlm_request_seconds_bucket{${route},le="+Inf"}`), 3);
  assert.ok(value('eta_vlm_tokens_total{kind="answer"}') > 5);
  assert.equal(value('eta_vlm_answers_running'), 0);
  assert.equal(value('eta_vlm_models_loaded'), 1);
});

test('a client cannot make labels: an address that it makes up is not in them', async () => {
  await asked.get('/v1/models/made-up-by-a-client');
  await asked.get('/made-up-by-a-client');
  const { body } = await asked.get('/metrics');
  assert.ok(!body['text'].includes('made-up'));
});

test('a route has one spelling: that of the OpenAPI document', async () => {
  const routes: string[] = [];
  const told = new Asked(eta, { onRequest: ({ route }) => routes.push(route) });
  for (const path of ['/v1/models/miniature', '/eta/gallery/clean-04.png', '/v1/models', '/assets/none.js', '/'])
    await told.get(path);
  assert.deepEqual(routes.slice(0, 3), ['/v1/models/{id}', '/eta/gallery/{file}', '/v1/models']);
  const { body: document } = await told.get('/openapi.json');
  for (const route of routes.slice(0, 3)) assert.ok(route in document['paths'], route);
  const { body } = await told.get('/metrics');
  const labels = new Set([...body['text'].matchAll(/route="([^"]*)"/g)].map(([, route]) => route));
  assert.ok(labels.has('/v1/models/{id}'));
  for (const label of labels) assert.match(String(label), /^\/[\w./-]*(\{\w+\})?$/);
});

test('models: the one that answers', async () => {
  const { body } = await asked.get('/v1/models');
  assert.deepEqual(
    body['data'].map(({ id, object, owned_by: owner }: Json) => [id, object, owner]),
    [['miniature', 'model', 'eta-vlm']],
  );
  assert.equal((await asked.get('/v1/models/miniature')).body['id'], 'miniature');
  assert.equal((await asked.get('/v1/models/gpt-4')).status, 404);
});

test('facts are those of the Eta', async () => {
  const { body } = await asked.get('/eta/facts');
  assert.equal(body['method'], 'eta');
  assert.deepEqual(body['thresholds'], eta.facts.thresholds);
  assert.deepEqual(body['models'], { name: 'miniature', isMiniature: true });
  assert.equal(body['limits'].maxBodyBytes, 20 * 2 ** 20);
  assert.ok(!JSON.stringify(body).includes(process.cwd()), 'no paths of this machine');
});

test('the gallery lists pictures that are there, with questions', async () => {
  const { body } = await asked.get('/eta/gallery');
  assert.equal(body['pictures'].length, 36);
  for (const { url, question, harmfulQuestion, file } of body['pictures']) {
    assert.ok(question.length > 5);
    assert.equal(harmfulQuestion !== undefined, /^(drawn|harmful)/.test(file));
    const response = await asked.server.fetch(new Request(new URL(url, `${ADDRESS}/eta/gallery`)));
    assert.match(response.headers.get('content-type') ?? '', /^image\/(png|jpeg)$/);
    assert.ok((await response.arrayBuffer()).byteLength > 500);
  }
  assert.equal((await asked.get('/eta/gallery/pictures.json')).status, 404);
});

test("the gallery's list is read again where it could not be read once", async (t) => {
  const fresh = new Asked(eta);
  const failing = t.mock.method(files, 'readFile', () => Promise.reject(new Error('EMFILE')));
  syncBuiltinESMExports();
  const { status, body } = await fresh.get('/eta/gallery');
  failing.mock.restore();
  syncBuiltinESMExports();
  assert.deepEqual([status, body['error'].code], [500, 'ERR_MODEL_NOT_FOUND']);
  assert.equal((await fresh.get('/eta/gallery')).status, 200);
  await fresh.server.close();
});
