/** Pixels that lie in memory at one time: who needs more than there is room for waits, and nobody for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { PixelRoom } from '../../src/server/pixel-room.js';
import { loadTiny } from '../eta/tiny.js';
import { Asked, about, type Json } from './served.js';

const never = new AbortController().signal;
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('first come, first served; what is given back twice is given back once', async () => {
  const room = new PixelRoom(10);
  const log: string[] = [];
  const take = async (name: string, count: number, signal = never) => {
    const release = await room.take(count, signal);
    log.push(name);
    return release;
  };
  const first = await take('6', 6);
  const second = take('5', 5);
  const third = take('1', 1); // there is room, but one stands before it
  await settled();
  assert.deepEqual(log, ['6']);
  first();
  first();
  await Promise.all([second, third]);
  assert.deepEqual(log, ['6', '5', '1']);
  const whole = take('10', 10);
  (await second)();
  await settled();
  assert.deepEqual(log, ['6', '5', '1'], 'one is still held');
  (await third)();
  (await whole)();
  assert.deepEqual(log, ['6', '5', '1', '10']);
});

test('who leaves the line lets those behind it pass', async () => {
  const room = new PixelRoom(10);
  const held = await room.take(6, never);
  const controller = new AbortController();
  const large = room.take(8, controller.signal);
  const small = room.take(4, never);
  controller.abort();
  await assert.rejects(large, { code: 'ERR_ABORTED' });
  (await small)();
  held();
  (await room.take(10, never))();
});

test('who needs no room waits for nobody', async () => {
  const room = new PixelRoom(10);
  const held = await room.take(10, never);
  const waiting = room.take(1, never);
  const none = await Promise.race([room.take(0, never), settled()]);
  assert.equal(typeof none, 'function', 'it stands in line');
  (none as () => void)();
  await assert.rejects(room.take(0, AbortSignal.abort()), { code: 'ERR_ABORTED' });
  held();
  (await waiting)();
});

test('requests whose pictures have no room beside each other are answered one after the other', async () => {
  await using eta = await loadTiny();
  const { data } = {
    data: await sharp({ create: { width: 300, height: 200, channels: 3, background: '#a06020' } })
      .png()
      .toBuffer(),
  };
  const url = `data:image/png;base64,${data.toString('base64')}`;
  const running = { now: 0, most: 0 };
  const counted = new Proxy(eta, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== 'stream') return typeof value === 'function' ? value.bind(target) : value;
      return async function* (...args: Parameters<typeof eta.stream>) {
        running.most = Math.max(running.most, ++running.now);
        try {
          yield* eta.stream(...args);
        } finally {
          running.now--;
        }
      };
    },
  });
  const body: Json = { messages: about(url, 'What?'), max_tokens: 30, seed: 1, eta: { method: 'vanilla' } };
  const four = async (asked: Asked) => {
    running.most = 0;
    const replies = await Promise.all([1, 2, 3, 4].map(() => asked.chat(body)));
    assert.deepEqual(
      replies.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    return running.most;
  };
  assert.equal(await four(new Asked(counted)), 4);
  assert.equal(await four(new Asked(counted, { maxPixels: 60_000, maxPixelsAtOnce: 119_999 })), 1);
  assert.equal(await four(new Asked(counted, { maxPixels: 60_000, maxPixelsAtOnce: 120_000 })), 2);
  // What fails, and what leaves, gives its room back.
  const tight = new Asked(counted, { maxPixels: 60_000, maxPixelsAtOnce: 60_000, timeoutMs: 30_000 });
  const cut = `data:image/png;base64,${data.subarray(0, data.length - 40).toString('base64')}`;
  assert.equal((await tight.chat({ ...body, messages: about(cut, 'What?') })).status, 400);
  const controller = new AbortController();
  const left = tight.chat({ ...body, max_tokens: 500 }, { signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  await left;
  assert.equal((await tight.chat(body)).status, 200);
  assert.equal(
    (await tight.post('/v1/moderations', { input: [{ type: 'image_url', image_url: { url } }] })).status,
    200,
  );
  assert.equal((await tight.chat(body)).status, 200);
});
