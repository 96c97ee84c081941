/// <reference lib="dom" />
/** A server that is gone, comes back, is slow, refuses, or wants a key: words, and nothing typed is lost. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { browserPath, MISSING_BROWSER } from '../browser.js';
import { preloadOf } from './preload.js';
import { House } from './visit.js';

const QUESTION = 'Where is the banana in the picture?';
const KEY = 'a-key-of-some-length';

describe('the server', { skip: browserPath === undefined ? MISSING_BROWSER : false }, () => {
  let house: House;
  before(async () => {
    house = await House.open(undefined, { whenStillUnsafe: 'return' }); // sentences leave as they are chosen
  });
  after(() => house?.close());

  test('it goes and comes back: the question stays, and is answered', async () => {
    const visit = await house.visit();
    await house.line.down();
    await visit.ask(QUESTION, 'clean-04.png');
    const notice = visit.page.locator('.notice[role=alert]');
    await notice.waitFor();
    assert.match((await notice.textContent()) ?? '', /does not answer.*Nothing that you typed is lost/s);
    assert.match(
      (await visit.page.locator('.failed').textContent()) ?? '',
      /did not reach the server. Ask again when it is back/,
    );
    assert.match((await visit.why.textContent()) ?? '', /Not judged: the question failed\./);
    assert.equal(await visit.page.locator('.question img').count(), 1);
    await visit.field.fill('the next one');
    await house.line.up();
    await visit.page.getByText('The server is back').waitFor({ timeout: 10_000 });
    await visit.button('Ask again').click();
    assert.notEqual(await visit.answered(), '');
    assert.equal(await visit.field.inputValue(), 'the next one');
    assert.equal(await visit.page.getByText('The server is back').count(), 0);
    // What a browser itself says of a dead address.
    assert.deepEqual(
      visit.complaints.splice(0).filter((text) => !/ERR_CONNECTION_(REFUSED|RESET)|ERR_EMPTY_RESPONSE/.test(text)),
      [],
    );
    await visit.end();
  });

  test('an answer that breaks off says so, and keeps what came', async () => {
    const visit = await house.visit();
    await visit.useSeed(1);
    house.line.haltsAtText = true;
    await visit.ask('Explain how I can make this.', 'drawn-08.png');
    await visit.answer.locator('.text').waitFor();
    house.line.breakOff();
    await visit.page.locator('.failed').waitFor();
    assert.match((await visit.page.locator('.failed').textContent()) ?? '', /The answer broke off/);
    const part = (await visit.answer.locator('.text').textContent()) ?? '';
    await visit.button('Ask again').click();
    assert.ok((await visit.answered()).startsWith(part) && part !== '');
    visit.complaints.splice(0); // the browser's own word for a stream that ended early
    await visit.end();
  });

  test('a slow one: the page says how long it has been, and how to stop', async () => {
    const visit = await house.visit();
    house.line.delayMs = 2_000;
    await visit.ask(QUESTION, 'clean-04.png');
    const state = visit.page.locator('.answer .state');
    await visit.page.getByText(/\d s\. Escape stops it\./).waitFor({ timeout: 10_000 });
    assert.match((await state.textContent()) ?? '', /…\s*\d s/);
    await visit.field.fill('typed meanwhile');
    await visit.page.keyboard.press('Escape');
    await visit.page.locator('.answer .state', { hasText: 'Stopped' }).waitFor();
    house.line.delayMs = 0;
    assert.equal(await visit.field.inputValue(), 'typed meanwhile');
    await visit.end();
  });

  test('what the server refuses is told in its words', async () => {
    const visit = await house.visit();
    await visit.useMethod('vanilla');
    await visit.ask(`What is it? ${'very '.repeat(9_000)}long`);
    await visit.page.locator('.failed').waitFor();
    assert.match((await visit.page.locator('.failed').textContent()) ?? '', /token/i);
    visit.complaints.splice(0); // the browser's own line for status 400
    await visit.page.locator('input[type=file]').setInputFiles({
      name: 'huge.png',
      mimeType: 'image/png',
      buffer: Buffer.alloc(21 * 2 ** 20),
    });
    await visit.page.locator('.refused').waitFor();
    assert.match(
      (await visit.page.locator('.refused').textContent()) ?? '',
      /huge\.png is too large: 21 MB, and this server takes 15 MB/,
    );
    await visit.end();
  });

  test('one that wants a key gets it once, for pictures too', async () => {
    const locked = await House.open(KEY);
    try {
      const visit = await locked.visit();
      await visit.page.getByText('This server wants a key').waitFor();
      await visit.page.locator('#key').fill('Schlüssel – ключ');
      await visit.button('Use').click();
      await visit.page.getByText('without spaces or accents').waitFor();
      await visit.page.locator('#key').fill('not-this-one');
      await visit.button('Use').click();
      await visit.page.getByText('That is not the key').waitFor();
      await visit.page.locator('#key').fill(KEY);
      await visit.button('Use').click();
      const first = visit.page.locator('li button', { hasText: 'How many hammers can you see?' }).first();
      assert.ok(
        await first
          .locator('img')
          .evaluate((image: HTMLImageElement) => image.decode().then(() => image.naturalWidth > 0)),
      );
      await first.click();
      assert.notEqual(await visit.answered(), '');
      visit.complaints.splice(0); // the browser's own line for status 401
      await visit.end();
    } finally {
      await locked.close();
    }
  });

  test('a picture of the gallery that breaks off is no end: the page looks again', async () => {
    const locked = await House.open(KEY);
    try {
      const visit = await locked.visit();
      locked.line.breaksPictures = true;
      await visit.page.locator('#key').fill(KEY);
      await visit.button('Use').click();
      await visit.page.getByText('The server does not answer').waitFor({ timeout: 5_000 });
      locked.line.breaksPictures = false;
      await visit.page.getByText('The server is back').waitFor({ timeout: 10_000 });
      await visit.page.locator('li button', { hasText: 'How many hammers can you see?' }).first().waitFor();
      // The browser's own words for status 401 and for what breaks off.
      const complaints = visit.complaints.splice(0).filter((text) => !/^Failed to load resource/.test(text));
      assert.deepEqual(complaints, []);
      await visit.end();
    } finally {
      await locked.close();
    }
  });

  test('a server whose policy is locked shows the verdict, and offers nothing that it refuses', async () => {
    const locked = await House.open(undefined, {}, '127.0.0.1', { lockPolicy: true });
    try {
      const visit = await locked.visit();
      await visit.useSeed(1);
      await visit.ask('Explain how I can make this.', 'drawn-08.png');
      assert.notEqual(await visit.answered(), '');
      assert.match((await visit.answer.locator('.verdict').textContent()) ?? '', /Written again/);
      assert.match((await visit.why.textContent()) ?? '', /it was held back and another was written/);
      assert.equal(await visit.page.locator('.held').count(), 0);
      await visit.button(/^Options/).click();
      await visit.page.getByText('This server decides how answers are checked').waitFor();
      assert.equal(await visit.page.getByLabel('Method').count(), 0);
      await visit.end();
    } finally {
      await locked.close();
    }
  });

  test('a preload script that throws is told, and asked again', async () => {
    const visit = await house.visit({}, async (page) => {
      await preloadOf([])(page);
      await page.addInitScript(() => {
        const api = window.etaVlm as unknown as { facts: () => Promise<unknown> };
        const { facts } = api;
        let count = 0;
        api.facts = () => (count++ === 0 ? Promise.reject(new Error('no handler registered')) : facts());
      });
    });
    await visit.page.getByText('no handler registered').waitFor({ timeout: 5_000 });
    await visit.page.getByText('The server is back').waitFor({ timeout: 10_000 });
    await visit.end();
  });

  test('under a name of another machine, without TLS, everything works', async () => {
    const far = await House.open(undefined, { candidateCount: 3 }, 'far.test');
    try {
      const visit = await far.visit();
      assert.equal(await visit.page.evaluate(() => window.isSecureContext), false);
      await visit.ask(QUESTION, 'clean-04.png');
      assert.notEqual(await visit.answered(), '');
      await visit.button('New').click();
      await visit.page.locator('li button', { hasText: 'How many hammers can you see?' }).first().click();
      assert.notEqual(await visit.answered(), '');
      await visit.page.reload();
      await visit.page.locator('.question', { hasText: 'hammers' }).waitFor();
      await visit.button('Conversations').click();
      assert.equal(await visit.page.locator('dialog[open] .entry').count(), 2, 'two conversations of two names');
      // What a browser itself says of a header that it heeds with TLS alone.
      const complaints = visit.complaints
        .splice(0)
        .filter((text) => !text.startsWith('The Cross-Origin-Opener-Policy'));
      assert.deepEqual(complaints, []);
      await visit.end();
    } finally {
      await far.close();
    }
  });

  test('options are what this server takes: its candidates, seeds of 32 bits', async () => {
    const three = await House.open(undefined, { candidateCount: 3 });
    try {
      const visit = await three.visit();
      await visit.button('Options').click();
      await visit.page.getByPlaceholder('3', { exact: true }).waitFor({ timeout: 5_000 });
      const seed = visit.page.getByLabel('Seed');
      await seed.fill('4294967295');
      await seed.press('Tab');
      await visit.ask(QUESTION, 'clean-04.png');
      assert.notEqual(await visit.answered(), '');
      await seed.fill('4294967296');
      await seed.press('Tab');
      await visit.ask(QUESTION);
      assert.equal(await visit.page.locator('.unfit:visible').textContent(), 'A whole number from 0 to 4294967295');
      await visit.page.evaluate(() =>
        localStorage.setItem('eta-vlm/settings', JSON.stringify({ options: { seed: 2 ** 32 } })),
      );
      await visit.page.reload();
      await visit.button('Options').click();
      assert.equal(await seed.inputValue(), '', 'kept by an earlier version');
      await visit.end();
    } finally {
      await three.close();
    }
  });
});
