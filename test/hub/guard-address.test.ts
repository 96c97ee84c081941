/** A guard by its address on a hub, and a decision beside a set that has a guard. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { readForm } from '../../src/decision/index.js';
import { loadEta } from '../../src/index.js';
import { resolveDecision } from '../../src/loading/index.js';
import { packageRoot, run } from '../cli/command.js';
import { goldenFile } from '../compatibility/golden.js';
import { formFile, tinyForm } from '../decision/guards.js';
import { tinyModels } from '../eta/tiny.js';
import { freshFolder } from './fixture.js';
import { TestHub } from './server.js';

const FILES = {
  'guard-Q4_K_M.gguf': readFileSync(goldenFile('qwen3-vl', 'model.gguf')),
  'mmproj-guard-F16.gguf': readFileSync(goldenFile('qwen3-vl', 'mmproj.gguf')),
};
const MODELS = { languageModel: tinyModels.languageModel, projector: tinyModels.projector };
const form = formFile(tinyForm());

let hub: TestHub;
before(async () => {
  hub = await TestHub.start();
  process.env['HF_ENDPOINT'] = hub.endpoint;
});
after(() => hub.stop());
beforeEach(() => {
  hub.reset();
  hub.add('acme/guard', { files: FILES, licence: 'mit' });
});

test('fetched with download: true, with the projector beside it where the form shows pictures, and only once', async () => {
  const modelsFolder = await freshFolder();
  const decision = { form, guard: 'hf:acme/guard:Q4_K_M' };
  const options = { models: MODELS, decision, modelsFolder, onNotice: () => undefined };
  await assert.rejects(loadEta(options), {
    code: 'ERR_MODEL_NOT_FOUND',
    message: /eta-vlm models pull hf:acme\/guard/,
  });
  assert.deepEqual(hub.seen, [], 'nobody said that it may be fetched');
  await using eta = await loadEta({ ...options, download: true });
  assert.ok(eta.facts.decision?.guard?.startsWith(modelsFolder));
  assert.match(eta.facts.decision?.guardProjector ?? '', /mmproj-guard-F16\.gguf$/);
  assert.deepEqual(eta.facts.evaluators, { pictures: 'decision', answers: 'decision' });
  hub.reset();
  await (await loadEta({ ...options, download: true })).dispose();
  assert.deepEqual(hub.seen, []);
});

test('terms of a guard are asked for as those of any model', async () => {
  hub.add('acme/guard', { files: FILES, licence: 'llama3.2' });
  const options = { models: MODELS, modelsFolder: await freshFolder(), download: true };
  await assert.rejects(loadEta({ ...options, decision: { form, guard: 'hf:acme/guard' } }), {
    code: 'ERR_LICENCE',
    message: /llama3\.2 of acme\/guard/,
  });
});

test('--guard with an address fetches it, and says so where it has no guard', async () => {
  const home = await freshFolder();
  const env = { HOME: home, HF_HUB_CACHE: join(home, 'hub'), XDG_CONFIG_HOME: home, HF_ENDPOINT: hub.endpoint };
  const words = ['--language-model', MODELS.languageModel, '--method', 'post', '--decision', form];
  const picture = join(packageRoot, 'test/golden/engine/square.png');
  const ask = (guard: string) =>
    run(['ask', ...words, '--guard', guard, '--max-tokens', '8', '--safe-decision', '-1000', 'What?'], { env });
  const answered = await ask('hf:acme/guard');
  assert.equal(answered.code, 0, answered.stderr);
  assert.match(answered.stderr, /^decision +-?\d+\.\d+ {2}safe/m);
  assert.ok(hub.seen.some(({ place }) => place === 'bytes'));
  hub.add('acme/eye', { files: { 'mmproj-a.gguf': FILES['mmproj-guard-F16.gguf'], 'x.png': readFileSync(picture) } });
  const none = await ask('hf:acme/eye/mmproj-a.gguf');
  assert.match(none.stderr, /--guard: expected the GGUF of a guard at hf:acme\/eye\/mmproj-a\.gguf, found none/);
});

test('beside a set: its guard is taken for its own form, and for no other', async () => {
  const [guard, guardProjector] = [goldenFile('qwen3-vl', 'model.gguf'), goldenFile('qwen3-vl', 'mmproj.gguf')];
  const ofSet = { form: 'shieldstral', guard, guardProjector };
  const files = { guard, guardProjector };
  assert.deepEqual((await resolveDecision(undefined, { ofSet }))?.files, files);
  assert.deepEqual((await resolveDecision('shieldstral', { ofSet }))?.files, files);
  assert.deepEqual((await resolveDecision('self', { ofSet }))?.files, null);
  const other = {
    code: 'ERR_INVALID_OPTION',
    message: /The set's own guard is asked as shieldstral: leave out decision/,
  };
  await assert.rejects(resolveDecision('qwen3guard', { ofSet }), other);
  await assert.rejects(resolveDecision(form, { ofSet }), other);
  await assert.rejects(resolveDecision('shieldstral'), (error: Error) => !error.message.includes("The set's own"));
  assert.equal((await readForm('shieldstral')).name, 'shieldstral');
});

test('a guard of one’s own counts in what is said before the first byte', async () => {
  hub.add('acme/tiny', { files: { 'tiny-Q4_K_M.gguf': readFileSync(MODELS.languageModel) }, licence: 'mit' });
  const guard = goldenFile('qwen3-vl', 'model.gguf');
  const large = formFile(tinyForm({ maxTokens: 131_072, answer: tinyForm().answer }));
  const told: number[] = [];
  for (const decision of [undefined, { form, guard }, { form: large, guard }]) {
    const options = {
      models: 'hf:acme/tiny',
      modelsFolder: await freshFolder(),
      download: true,
      method: 'vanilla',
    } as const;
    const refused = loadEta({ ...options, decision, contextSize: 2 ** 30, onNotice: () => undefined });
    const { message, code } = await refused.then(
      () => assert.fail('it fits'),
      (error: Error & { code?: string }) => error,
    );
    assert.equal(code, 'ERR_MEMORY');
    assert.equal(/guard [\d.]+ GiB/.test(message), decision?.form === large, message);
    told.push(Number(/^Expected ([\d.]+) GiB/.exec(message)?.[1]));
  }
  assert.ok((told[2] ?? 0) > (told[0] ?? 0), `${told}`);
});
