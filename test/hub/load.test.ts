/** `loadEta({ download: true })`: what an app fetches, and what it does not. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { checkRoom, type HubFile } from '../../src/hub/index.js';
import { loadEta } from '../../src/index.js';
import { type PublishedSet, planModels, plannedShapes, resolvedPlan } from '../../src/models/index.js';
import { packageRoot } from '../cli/command.js';
import { clientOf, fetched, freshFolder } from './fixture.js';
import { TestHub } from './server.js';

const miniature = join(packageRoot, 'models/miniature');
const languageModel = readFileSync(join(miniature, 'language-model.gguf'));
const projector = readFileSync(join(miniature, 'projector.gguf'));
const TINY = { files: { 'tiny-Q4_K_M.gguf': languageModel, 'mmproj-tiny-f16.gguf': projector }, licence: 'mit' };

let hub: TestHub;
before(async () => {
  hub = await TestHub.start();
  process.env['HF_ENDPOINT'] = hub.endpoint;
});
after(() => hub.stop());
beforeEach(() => {
  hub.reset();
  hub.add('acme/tiny', TINY);
});

const vanilla = { method: 'vanilla', contextSize: 512, sequenceCount: 2 } as const;

test('fetched before anything is loaded, told of in order, and only once', async () => {
  const modelsFolder = await freshFolder();
  const told: string[] = [];
  const fractions: number[] = [];
  const options = { ...vanilla, models: 'hf:acme/tiny', modelsFolder, download: true };
  {
    await using eta = await loadEta({
      ...options,
      onProgress: ({ part, fraction }) => {
        if (told.at(-1) !== part) told.push(part);
        if (part === 'download') fractions.push(fraction);
      },
    });
    assert.equal(eta.facts.models.name, 'hf:acme/tiny');
    assert.ok(eta.facts.models.languageModel.startsWith(modelsFolder));
  }
  assert.deepEqual(told, ['download', 'language-model']);
  assert.deepEqual([fractions[0], fractions.at(-1)], [0, 1]);
  assert.deepEqual(
    fractions,
    [...fractions].sort((a, b) => a - b),
  );
  hub.reset();
  await (await loadEta(options)).dispose();
  assert.deepEqual(hub.seen, []);
});

test('without download: true nothing is asked of anybody', async () => {
  const modelsFolder = await freshFolder();
  await assert.rejects(loadEta({ ...vanilla, models: 'hf:acme/tiny', modelsFolder }), {
    code: 'ERR_MODEL_NOT_FOUND',
    message:
      /Fetch them with 'eta-vlm models pull hf:acme\/tiny'\. Or load with download: true, which fetches them first\.$/,
  });
  await assert.rejects(loadEta({ ...vanilla, models: 'laptop-8gb', modelsFolder }), { code: 'ERR_MODEL_NOT_FOUND' });
  assert.deepEqual(hub.seen, []);
});

test('parts by address, beside parts of one’s own', async () => {
  const modelsFolder = await freshFolder();
  const models = {
    languageModel: 'hf:acme/tiny',
    clip: join(miniature, 'clip'),
    rewardModel: join(miniature, 'reward-model'),
  };
  await using eta = await loadEta({ models, modelsFolder, download: true, contextSize: 512, sequenceCount: 8 });
  assert.ok(eta.facts.models.projector?.endsWith('mmproj-tiny-f16.gguf'));
  await assert.rejects(loadEta({ models: { ...models, clip: 'hf:acme/tiny' }, modelsFolder, download: true }), {
    code: 'ERR_MODEL_NOT_FOUND',
    message: /^models\.clip: expected a CLIP at hf:acme\/tiny, found tiny-Q4_K_M\.gguf, mmproj/,
  });
});

test('another client fetched the language model alone: the projector is fetched, and offline it is not', async () => {
  const modelsFolder = await freshFolder();
  await fetched(clientOf(hub, modelsFolder), 'acme/tiny', ['tiny-Q4_K_M.gguf']);
  await rm(join(modelsFolder, 'models--acme--tiny/.eta-vlm'), { recursive: true });
  const options = { ...vanilla, models: 'hf:acme/tiny', modelsFolder, download: true };
  hub.reset();
  process.env['HF_HUB_OFFLINE'] = '1';
  const alone = await loadEta(options).finally(() => delete process.env['HF_HUB_OFFLINE']);
  assert.equal(alone.facts.models.projector, null);
  await alone.dispose();
  assert.equal(hub.seen.length, 0);
  const whole = await loadEta(options);
  assert.ok(whole.facts.models.projector?.endsWith('mmproj-tiny-f16.gguf'));
  await whole.dispose();
  const paths = hub.seen.filter(({ place, range }) => place === 'bytes' && range === undefined);
  assert.deepEqual(
    paths.map(({ path }) => path.split('?')[0]),
    ['/acme/tiny/mmproj-tiny-f16.gguf'],
  );
});

test('terms, memory, an abort: said before the first byte, or ended at once', async () => {
  const modelsFolder = await freshFolder();
  hub.add('acme/terms', { ...TINY, licence: 'gemma' });
  const terms = { ...vanilla, models: 'hf:acme/terms', modelsFolder, download: true };
  await assert.rejects(loadEta(terms), {
    name: 'UsageError',
    code: 'ERR_LICENCE',
    message: /gemma of acme\/terms\. Read them, then load with acceptLicence: true\.$/,
  });
  await assert.rejects(loadEta({ ...terms, acceptLicence: true, contextSize: 2 ** 31 - 1 }), {
    code: 'ERR_MEMORY',
    message: /^Expected [\d.]+ GiB of free memory/,
  });
  assert.equal(existsSync(join(modelsFolder, 'models--acme--terms')), false);
  const controller = new AbortController();
  hub.fault = ({ place, range }) => (place === 'bytes' && range === undefined ? { blockMs: 5 } : null);
  const stopped = loadEta({
    ...vanilla,
    models: 'hf:acme/tiny',
    modelsFolder,
    download: true,
    signal: controller.signal,
    onProgress: ({ fraction }) => fraction > 0.02 && controller.abort(),
  });
  await assert.rejects(stopped, { code: 'ERR_ABORTED' });
});

/** A set as the registry would have it, of tiny files. */
const SET: PublishedSet = {
  name: 'tiny-set',
  description: 'For the test.',
  workingBytes: 0,
  published: [
    {
      role: 'languageModel',
      repo: 'acme/tiny',
      revision: 'main',
      files: [{ path: 'tiny-Q4_K_M.gguf', sizeBytes: null, sha256: null }],
      licence: { name: 'mit', needsConsent: false },
      findsProjector: true,
    },
    {
      role: 'guard',
      repo: 'acme/tiny',
      revision: 'main',
      files: [{ path: 'tiny-Q4_K_M.gguf', sizeBytes: null, sha256: null }],
      licence: { name: 'mit', needsConsent: false },
      form: 'a-form',
      findsProjector: true,
    },
  ],
};

async function planned() {
  const client = clientOf(hub, await freshFolder());
  const { fetchListing } = await import('../../src/hub/index.js');
  return { client, plan: await planModels(SET, (address) => fetchListing(client, address)) };
}

test('a guard is what judges answers, with its projector, where no reward model is named', async () => {
  const { client, plan } = await planned();
  assert.deepEqual(
    plan.parts.map(({ role }) => role),
    ['languageModel', 'projector', 'guard', 'guardProjector'],
  );
  const { guard } = resolvedPlan(plan, client.settings.folder).published ?? {};
  assert.equal(guard?.form, 'a-form');
  assert.match(guard.guard, /tiny-Q4_K_M\.gguf$/);
  assert.match(guard.guardProjector ?? '', /mmproj.*\.gguf$/);
});

test('the memory of what is not here, told by its heads, is that of what is', async () => {
  const { client, plan } = await planned();
  const shapes = await plannedShapes({ ...plan, parts: plan.parts.slice(0, 2) }, client);
  const { modelShapes } = await import('../../src/models/index.js');
  const here = await modelShapes({
    languageModel: join(miniature, 'language-model.gguf'),
    projector: join(miniature, 'projector.gguf'),
    clip: null,
    rewardModel: null,
  });
  assert.deepEqual(shapes?.language, here.language);
  assert.deepEqual(shapes?.projector, here.projector);
  assert.ok(
    hub.seen.some(({ range }) => range?.startsWith('bytes=0-')),
    'heads were asked for by range',
  );
});

test('a disk without room is told before the first byte', () => {
  const free = 2 ** 30;
  checkRoom('/models', free / 2, free);
  checkRoom('/models', 0, 0);
  checkRoom('/models', free * 9, null);
  assert.throws(() => checkRoom('/models', 2 * free, free), {
    name: 'FileError',
    code: 'ERR_FILE_WRITE',
    message:
      'Expected room for 2.00 GiB in "/models" and 64 MiB that stay free, found 1.00 GiB. Make room, or name a folder on another disk with HF_HUB_CACHE.',
  });
});

test('a name that no file system takes is told before the first byte', async () => {
  const modelsFolder = await freshFolder();
  const name = `${'x'.repeat(250)}.gguf`;
  hub.add('acme/long', { files: { [name]: languageModel } });
  await assert.rejects(loadEta({ ...vanilla, models: 'hf:acme/long', modelsFolder, download: true }), {
    name: 'FileError',
    code: 'ERR_FILE_WRITE',
    message: /^Expected names of at most 240 bytes in acme\/long, .* of 255\. Nothing was fetched: fetch it by hand/,
  });
  assert.ok(hub.seen.every(({ place }) => place === 'api'));
  assert.equal(existsSync(join(modelsFolder, 'models--acme--long')), false);
});

test('a split model of which a file is missing is told before the first byte', async () => {
  const modelsFolder = await freshFolder();
  const of = async (...numbers: number[]) => {
    hub.add('acme/split', {
      files: Object.fromEntries(numbers.map((number) => [`m-Q8_0-0000${number}-of-00003.gguf`, languageModel])),
    });
    await loadEta({ ...vanilla, models: 'hf:acme/split', modelsFolder, download: true });
  };
  for (const [numbers, missing] of [
    [[1, 3], 2],
    [[1, 2], 3],
    [[1], 2],
  ] as const)
    await assert.rejects(of(...numbers), {
      code: 'ERR_MODEL_NOT_FOUND',
      message: new RegExp(
        `^Expected all 3 files of a model that is split, found ${numbers.length}: "m-Q8_0-0000${missing}-of-00003\\.gguf" is not there\\.`,
      ),
    });
  assert.ok(hub.seen.every(({ place }) => place === 'api'));
  hub.add('acme/split', {
    files: Object.fromEntries([1, 2, 3].map((number) => [`m-0000${number}-of-00003.gguf`, languageModel])),
  });
  const client = clientOf(hub, modelsFolder);
  await fetched(client, 'acme/split', ['m-00001-of-00003.gguf', 'm-00003-of-00003.gguf']);
  await rm(join(modelsFolder, 'models--acme--split/.eta-vlm'), { recursive: true }); // as another client leaves it
  await assert.rejects(loadEta({ ...vanilla, models: 'hf:acme/split', modelsFolder }), {
    code: 'ERR_MODEL_NOT_FOUND',
    message: /"m-00002-of-00003\.gguf" is not there/,
  });
});

test('a folder that cannot be made is told with what to do', async () => {
  const modelsFolder = join(miniature, 'language-model.gguf', 'hub');
  await assert.rejects(loadEta({ ...vanilla, models: 'hf:acme/tiny', modelsFolder, download: true }), {
    name: 'FileError',
    code: 'ERR_FILE_WRITE',
    message:
      /but it failed: a file stands where a folder should \(ENOTDIR\)\. Name a folder that can be written to with HF_HUB_CACHE \(in a program, modelsFolder\)\.$/,
  });
});

test('a set whose file is gone, or stands for another', async () => {
  const client = clientOf(hub, await freshFolder());
  const { fetchListing } = await import('../../src/hub/index.js');
  const withFile = (file: Partial<HubFile & { sha256: string | null }>) =>
    planModels(
      {
        ...SET,
        published: [
          {
            ...SET.published[0],
            files: [{ path: 'x', sizeBytes: null, sha256: null, ...file }],
          } as PublishedSet['published'][number],
        ],
      },
      (address) => fetchListing(client, address),
    );
  await assert.rejects(withFile({}), {
    code: 'ERR_MODEL_NOT_FOUND',
    message: /^tiny-set: expected "x" in acme\/tiny, which does not have it any more/,
  });
  await assert.rejects(withFile({ path: 'tiny-Q4_K_M.gguf', sha256: '0'.repeat(64) }), {
    code: 'ERR_MODEL_MISMATCH',
    message:
      /with the SHA-256 0{64}, which eta-vlm was told, but the hub announces [0-9a-f]{64}: another file stands in its place\. Nothing was fetched\.$/,
  });
});
