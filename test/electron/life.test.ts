/** The models' life in the example: missing, fetched, given up, back, lost with a device, and at the end gone. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EngineError, type Eta, type LoadEtaOptions, loadEta } from 'eta-vlm';
import type { AskRequest } from '../../src/page/wire.js';
import { TestHub } from '../hub/server.js';
import { App } from './app.js';
import { CHOICES, Choices } from './example.js';
import { wholeOf } from './window.js';

const miniature = fileURLToPath(new URL('../../models/miniature/', import.meta.url));
const QUESTION: AskRequest = {
  messages: [{ role: 'user', content: 'What is red?' }],
  stream: true,
  max_tokens: 12,
  eta: { include: ['verdict'], method: 'vanilla' },
};

let hub: TestHub;
let folder = '';
before(async () => {
  hub = await TestHub.start();
  process.env['HF_ENDPOINT'] = hub.endpoint;
  hub.add('acme/tiny', {
    files: {
      'tiny-Q4_K_M.gguf': readFileSync(join(miniature, 'language-model.gguf')),
      'mmproj-tiny-f16.gguf': readFileSync(join(miniature, 'projector.gguf')),
    },
    licence: 'mit',
  });
});
beforeEach(async () => {
  hub.reset();
  folder = await mkdtemp(join(tmpdir(), 'eta-vlm-app-'));
});
after(() => hub.stop());

/** Runs with an app, and ends it. */
async function withApp(work: (app: App) => Promise<void>, load?: typeof loadEta): Promise<void> {
  const app = new App(load);
  try {
    await work(app);
  } finally {
    await app.host.quit();
    await rm(folder, { recursive: true, force: true });
  }
}

const tiny = (download: boolean): LoadEtaOptions => ({
  models: {
    languageModel: 'hf:acme/tiny',
    clip: join(miniature, 'clip'),
    rewardModel: join(miniature, 'reward-model'),
  },
  modelsFolder: folder,
  download,
});

test('before anything was chosen a question says so; nothing was asked of the hub', () =>
  withApp(async (app) => {
    await assert.rejects(app.open().ask(QUESTION), { code: 'ERR_MODEL_NOT_FOUND', message: /Choose some first/ });
    assert.deepEqual(hub.seen, []);
  }));

test('models are missing, are fetched at a word with progress, and answer', () =>
  withApp(async (app) => {
    const window = app.open();
    const missing = await app.load(tiny(false));
    assert.ok(missing.name === 'failed');
    assert.deepEqual([missing.failure.name, missing.failure.code], ['ModelError', 'ERR_MODEL_NOT_FOUND']);
    assert.deepEqual(hub.seen, [], 'nothing goes to the network unasked');
    await assert.rejects(window.ask(QUESTION), { code: 'ERR_MODEL_NOT_FOUND', name: 'ModelError' });
    app.states.length = 0;
    assert.equal((await app.load(tiny(true))).name, 'ready');
    const fractions = app.states.flatMap((state) =>
      state.name === 'loading' && state.part === 'download' ? [state.fraction] : [],
    );
    assert.ok(fractions.length > 2 && fractions.every((one, at) => at === 0 || one >= (fractions[at - 1] ?? 1)));
    assert.deepEqual([fractions[0], fractions.at(-1)], [0, 1]);
    const last = app.states.findLast((state) => state.name === 'loading' && state.part === 'download');
    assert.ok(last?.name === 'loading' && last.bytes !== undefined && last.bytes.total > 1e6);
    assert.equal(last.bytes.received, last.bytes.total);
    assert.notEqual(wholeOf(await window.ask(QUESTION)).text, '');
  }));

test('a download that is stopped says so, and goes on with what is here', () =>
  withApp(async (app) => {
    hub.fault = ({ place }) => (place === 'bytes' ? { blockMs: 5 } : null);
    app.host.load(tiny(true));
    const hasBegun = () => app.states.some((state) => state.name === 'loading' && state.fraction > 0.05);
    while (!hasBegun()) await sleep(5);
    app.host.stop();
    const stopped = await app.settled();
    assert.ok(stopped.name === 'failed');
    assert.equal(stopped.failure.code, 'ERR_ABORTED');
    hub.reset();
    assert.equal((await app.load(tiny(true))).name, 'ready');
    assert.ok(hub.seen.some(({ range }) => range !== undefined && !range.startsWith('bytes=0-')));
  }));

test('what nobody asks is given up, and comes back with the next question', async () => {
  let eta: Eta | undefined;
  await withApp(
    async (app) => {
      const window = app.open();
      assert.equal((await app.load({ idleUnloadMs: 100 })).name, 'ready');
      const isGone = async () => {
        for (let waited = 0; eta?.isLoaded === true && waited < 10_000; waited += 20) await sleep(20);
        return eta?.isLoaded === false;
      };
      assert.ok(await isGone());
      assert.ok('value' in (await window.api.facts()));
      assert.equal(eta?.isLoaded, false, 'who looks at facts wakes nobody');
      const { text } = wholeOf(await window.ask(QUESTION));
      assert.notEqual(text, '');
      assert.ok(await isGone());
      app.host.unload();
      assert.equal(wholeOf(await window.ask(QUESTION)).text, text);
    },
    async (options) => (eta = await loadEta(options)),
  );
});

test('a device that is lost: the question says so, another process starts, the next question is answered', async () => {
  let isLost = false;
  await withApp(
    async (app) => {
      const window = app.open();
      assert.equal((await app.load({})).name, 'ready');
      isLost = true;
      await assert.rejects(window.ask(QUESTION), { code: 'ERR_DEVICE_LOST', message: 'The device is gone.' });
      isLost = false;
      while (app.processes.length < 2) await sleep(5);
      assert.equal(app.processes[0]?.exitCode, 0);
      assert.notEqual(wholeOf(await window.ask(QUESTION)).text, '');
      assert.equal(app.host.state.name, 'ready');
    },
    async (options) => {
      const eta = await loadEta(options);
      const stream = eta.stream.bind(eta);
      eta.stream = (...given) => {
        if (isLost) throw new EngineError('ERR_DEVICE_LOST', 'The device is gone.');
        return stream(...given);
      };
      return eta;
    },
  );
});

test('a process that dies: what was asked says so, and the next question is answered', () =>
  withApp(async (app) => {
    const window = app.open();
    assert.equal((await app.load({})).name, 'ready');
    assert.ok('value' in (await window.api.facts()));
    const asked = window.ask(QUESTION);
    app.processes[0]?.kill();
    await assert.rejects(asked, { code: 'ERR_ENDED', message: /Ask again\.$/ });
    assert.notEqual(wholeOf(await window.ask(QUESTION)).text, '');
    assert.equal(app.processes.length, 2);
  }));

test('one that dies again and again is not started for ever', () =>
  withApp(async (app) => {
    app.host.load({});
    for (let ends = 0; ends < 4; ends++) {
      while (app.processes.length === ends) await sleep(5);
      app.processes[ends]?.kill();
    }
    const state = await app.settled();
    assert.ok(state.name === 'failed');
    assert.equal(state.failure.code, 'ERR_ENDED');
    await sleep(100);
    assert.equal(app.processes.length, 4);
    assert.equal((await app.load({})).name, 'ready', 'at a word it is');
  }));

test('quitting ends what is asked, frees the models, and ends the process', async () => {
  let eta: Eta | undefined;
  const app = new App(async (options) => (eta = await loadEta(options)));
  const window = app.open();
  await app.load({});
  const asked = window.ask({ ...QUESTION, max_tokens: 500 });
  asked.catch(() => undefined);
  await sleep(50);
  await app.host.quit();
  assert.equal(app.processes[0]?.exitCode, 0);
  assert.equal(app.processes.length, 1, 'no other is started');
  await assert.rejects(async () => await eta?.statistics(), { code: 'ERR_DISPOSED' });
  await rm(folder, { recursive: true });
});

test('the choice is remembered, fetches nothing by itself, and keeps to the app’s own folder', async () => {
  const choices = new Choices(folder);
  assert.equal(await choices.last(), null);
  for (const name of Object.keys(CHOICES)) {
    const options = await choices.take(name, false);
    assert.equal(options.download, false);
    assert.equal(options.modelsFolder, join(folder, 'models'));
    assert.deepEqual(structuredClone(options), options, 'it crosses to the process');
    assert.equal(await new Choices(folder).last(), name);
  }
  await assert.rejects(choices.take('constructor', true), { name: 'RangeError' });
  assert.equal(await readFile(join(folder, 'models-choice.txt'), 'utf8'), 'laptop-8gb');
  await rm(folder, { recursive: true });
});
