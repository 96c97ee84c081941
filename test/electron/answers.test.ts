/** Asking through the example's processes: its real code and the miniature, behind doubles of Electron's ports. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Eta, loadEta } from 'eta-vlm';
import type { Reply } from '../../examples/electron/eta/messages.mjs';
import type { AskRequest } from '../../src/page/wire.js';
import { App } from './app.js';
import { Answers, errorOf, failureOf } from './example.js';
import { Channel } from './ports.mjs';
import type { Window } from './window.js';
import { wholeOf } from './window.js';

const PICTURE = new URL('../../models/miniature/pictures/drawn-08.png', import.meta.url);
const QUESTION = 'Explain how I can make this.';
const url = `data:image/png;base64,${readFileSync(PICTURE).toString('base64')}`;

function request(prompt = QUESTION, eta: Partial<AskRequest['eta']> = {}, image = url): AskRequest {
  const content = [
    { type: 'image_url', image_url: { url: image } },
    { type: 'text', text: prompt },
  ] as const;
  return {
    messages: [{ role: 'user', content }],
    stream: true,
    seed: 1,
    eta: { include: ['events', 'trace', 'verdict'], ...eta },
  };
}

let eta: Eta;
let window: Window;
/** Answers that were computed to their end. */
let doneCount = 0;
const app = new App(async (options) => {
  eta = await loadEta(options);
  const stream = eta.stream.bind(eta);
  eta.stream = async function* (...given) {
    for await (const event of stream(...given)) {
      if (event.type === 'done') doneCount++;
      yield event;
    }
  };
  return eta;
});

before(async () => {
  assert.equal((await app.load({ reuse: false })).name, 'ready'); // so that what is live is asked for
  window = app.open();
});
after(() => app.host.quit());

/** Waits until nothing is computed any more. */
async function untilFree(): Promise<void> {
  for (let looks = 0; (await eta.statistics()).liveSequenceCount > 0; looks++) {
    assert.ok(looks < 2000, 'sequences were not freed');
    await sleep(5);
  }
}

test('an answer comes as the library gives it, with why', async () => {
  const { text, events, last } = wholeOf(await window.ask(request()));
  const direct = await eta.respond({ image: PICTURE, prompt: QUESTION, seed: 1 });
  assert.equal(text, direct.text);
  assert.deepEqual(last?.verdict, JSON.parse(JSON.stringify(direct.verdict)));
  assert.equal(last?.verdict?.action, 'aligned');
  assert.equal(last?.seed, 1);
  assert.deepEqual(
    new Set(events.map(({ type }) => type)),
    new Set(['picture', 'vanilla', 'answer', 'round', 'verdict']),
  );
  assert.equal(last?.trace?.rounds.length, events.filter(({ type }) => type === 'round').length);
});

test('who answers, and pictures to try without any server', async () => {
  const facts = await window.api.facts();
  assert.ok('value' in facts);
  assert.equal(facts.value.models.isMiniature, true);
  const gallery = await window.api.gallery();
  assert.ok('value' in gallery && gallery.value.pictures.length > 5);
  for (const picture of gallery.value.pictures) assert.match(picture.url, /^data:image\/(png|jpeg);base64,[\w+/]{500}/);
});

test('an error keeps its code, name and sentence across the clone, which an Error does not', async () => {
  const broken = {
    name: 'EtaError',
    code: 'ERR_IMAGE_UNREADABLE',
    message: /is not a picture that can be read/,
    param: 'image_url.0',
  };
  await assert.rejects(window.ask(request(QUESTION, {}, 'data:image/png;base64,AAAA')), broken);
  const unknown = { code: 'ERR_INVALID_OPTION', message: /method: expected vanilla, pre/ };
  await assert.rejects(window.ask(request(QUESTION, { method: 'none' as never })), unknown);
  const error = Object.assign(new RangeError('what'), { code: 'ERR_MEMORY' });
  assert.equal('code' in structuredClone(error), false);
  const back = errorOf(structuredClone(failureOf(error)));
  assert.ok(back instanceof Error);
  assert.deepEqual([back.name, back.code, back.message], ['RangeError', 'ERR_MEMORY', 'what']);
});

test('what is stopped ends within a step, and nothing is told afterwards', async () => {
  const whole = await window.ask(request());
  const heard: string[] = [];
  const before = doneCount;
  await new Promise<void>((resolve) => {
    const stop = window.api.ask(request(), (message) => {
      heard.push(message.type);
      stop();
      resolve();
    });
  });
  await sleep(300);
  await untilFree();
  assert.deepEqual(heard, ['chunk']);
  assert.equal(doneCount, before, 'it was computed to its end');
  assert.ok(whole.length > 3);
  assert.equal(wholeOf(await window.ask(request())).text, wholeOf(whole).text);
});

test('a window that goes away ends what it asked', async () => {
  const { port1, port2 } = new Channel();
  app.processes[0]?.postMessage({ type: 'window' }, [port1]);
  port2.start();
  port2.postMessage({ type: 'ask', id: 1, request: request() });
  await new Promise((resolve) => port2.once('message', resolve));
  const before = doneCount;
  port2.close();
  await sleep(300);
  await untilFree();
  assert.equal(doneCount, before, 'it was computed to its end');
});

test('two windows, several questions at once', async () => {
  const other = app.open();
  const texts = await Promise.all(
    [window, other, window, other].map(async (one) => wholeOf(await one.ask(request())).text),
  );
  assert.equal(new Set(texts).size, 1);
});

test('no more goes out than the page has taken', async () => {
  const { port1, port2 } = new Channel();
  const count = 100;
  const data = Array.from({ length: count }, (_, at) => `data: {"at":${at}}\n\n`).join('');
  new Answers(
    port1 as never,
    async () => new Response(`${data}data: [DONE]\n\n`),
    () => undefined,
  );
  const heard: Reply[] = [];
  port2.on('message', ({ data: reply }) => heard.push(reply));
  port2.start();
  port2.postMessage({ type: 'ask', id: 1, request: {} });
  await sleep(100);
  assert.equal(heard.length, 32);
  for (let taken = 0; taken < 10; taken++) port2.postMessage({ type: 'more', id: 1 });
  await sleep(100);
  assert.equal(heard.length, 42);
  for (let taken = 0; taken < count; taken++) port2.postMessage({ type: 'more', id: 1 });
  await sleep(100);
  assert.deepEqual(heard.map(({ type }) => type).slice(-2), ['chunk', 'end']);
  assert.equal(heard.length, count + 1);
  port2.close();
});
