import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ModelChoice, registeredModels, resolveModels } from '../src/models/index.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-models-'));
after(() => rmSync(folder, { recursive: true }));

const file = (name: string) => {
  writeFileSync(join(folder, name), 'x');
  return join(folder, name);
};

test('the registry names the miniature and its files', async () => {
  const [first] = await registeredModels();
  assert.equal(first?.name, 'miniature');
  assert.match(first?.folder ?? '', /models.miniature$/);
});

test('an unknown name is refused with the known ones and the nearest', async () => {
  await assert.rejects(resolveModels('miniatur'), {
    name: 'ModelError',
    code: 'ERR_MODEL_NOT_FOUND',
    message:
      'models: expected a known name (miniature, laptop-8gb, laptop-16gb, workstation-24gb, llava-1.5-7b), an address of a hub (hf:owner/name) or a folder, received "miniatur", which is none of these. ' +
      "Did you mean 'miniature'? Paths of single files go into models.languageModel and its neighbours.",
  });
  await assert.rejects(resolveModels('llava'), {
    message: /received "llava", which is none of these\. Check the name or the path\. Paths of/,
  });
  await assert.rejects(resolveModels(''), { code: 'ERR_MODEL_NOT_FOUND' });
});

test('a folder may lack all but the language model', async () => {
  const place = join(folder, 'mine');
  mkdirSync(join(place, 'clip'), { recursive: true });
  await assert.rejects(resolveModels(place), {
    code: 'ERR_MODEL_NOT_FOUND',
    message: /^models: expected the GGUF of the language model at .*language-model\.gguf", received nothing there/,
  });
  writeFileSync(join(place, 'language-model.gguf'), 'x');
  assert.deepEqual(await resolveModels(place), {
    name: 'mine',
    languageModel: join(place, 'language-model.gguf'),
    projector: null,
    clip: join(place, 'clip'),
    rewardModel: null,
  });
});

test('paths are checked one by one', async () => {
  const languageModel = file('a.gguf');
  assert.equal((await resolveModels({ languageModel })).name, 'a.gguf');
  await assert.rejects(resolveModels({ languageModel, projector: join(folder, 'no.gguf') }), {
    code: 'ERR_MODEL_NOT_FOUND',
    message:
      /^models\.projector: expected the GGUF of the projector at .*no\.gguf", received nothing there\. Check the path/,
  });
  await assert.rejects(resolveModels({ languageModel, clip: languageModel }), {
    message: /^models\.clip: expected the folder of the CLIP model at .*, received a file\./,
  });
  await assert.rejects(resolveModels({ languageModel: folder }), {
    message: /^models\.languageModel: .*received a folder\./,
  });
});

test('paths of the wrong form are refused by name', async () => {
  const wrong = (choice: unknown) => resolveModels(choice as ModelChoice);
  await assert.rejects(wrong({}), { message: 'models: languageModel: expected a path; received nothing.' });
  await assert.rejects(wrong({ languageModel: 'a', projektor: 'b' }), {
    code: 'ERR_UNKNOWN_OPTION',
    message: "models: unknown option 'projektor'. Did you mean 'projector'?",
  });
  await assert.rejects(wrong(null), { name: 'UsageError' });
});
