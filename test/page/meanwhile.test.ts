/// <reference lib="dom" />
/** What is done while an answer, or a picture of the gallery, is still under way. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Route } from 'playwright-core';
import { browserPath, MISSING_BROWSER } from '../browser.js';
import { House, type Visit } from './visit.js';

const BANANA = 'Where is the banana in the picture?';
const HAMMERS = 'How many hammers can you see?';

describe('meanwhile', { skip: browserPath === undefined ? MISSING_BROWSER : false }, () => {
  let house: House;
  before(async () => {
    house = await House.open(undefined, { whenStillUnsafe: 'return' }); // sentences leave as they are chosen
  });
  after(() => house?.close());

  /** An answer that has begun and is slow, and a draft behind it. */
  async function begun(visit: Visit): Promise<void> {
    await visit.useSeed(1);
    house.line.delayMs = 500;
    await visit.ask('Explain how I can make this.', 'drawn-08.png');
    await visit.page.locator('article.answer .text').waitFor();
    await visit.field.fill('half a que');
    await visit.page.waitForTimeout(100);
    await visit.button('Conversations').click();
  }

  async function assertNothingKept(visit: Visit): Promise<void> {
    await visit.page.locator('.answer').waitFor({ state: 'detached' });
    await visit.button('Ask').waitFor({ state: 'attached' }); // the run has ended
    await visit.page.waitForTimeout(200);
    house.line.delayMs = 0;
    await visit.page.reload();
    await visit.field.waitFor();
    assert.equal(await visit.answers.count(), 0);
    await visit.button('Conversations').click();
    assert.equal(await visit.page.locator('dialog[open] .entry').count(), 0);
  }

  test('all is cleared while an answer runs: nothing comes back, the draft neither', async () => {
    const visit = await house.visit();
    await begun(visit);
    await visit.button('Clear all').click();
    await visit.button('Delete').click();
    await visit.page.locator('dialog[open]').waitFor({ state: 'detached' });
    assert.equal(await visit.field.inputValue(), '');
    await assertNothingKept(visit);
    assert.equal(await visit.field.inputValue(), '');
    await visit.end();
  });

  test('a conversation is deleted while its answer runs: it stays away', async () => {
    const visit = await house.visit();
    await begun(visit);
    await visit.button('Delete “Explain how I can make this.”').click();
    await visit.button('Keep “Explain how I can make this.”').click();
    await visit.button('Delete “Explain how I can make this.”').click();
    await visit.button('Delete it: “Explain how I can make this.”').click();
    await assertNothingKept(visit);
    assert.equal(await visit.field.inputValue(), 'half a que');
    await visit.end();
  });

  test('another conversation is deleted while an answer runs: the answer goes on', async () => {
    const visit = await house.visit();
    await visit.ask(HAMMERS, 'clean-01.jpg');
    await visit.answered();
    await visit.button('New').click();
    await begun(visit);
    await visit.button(`Delete “${HAMMERS}”`).click();
    await visit.button(`Delete it: “${HAMMERS}”`).click();
    await visit.page.locator('dialog[open] .entry', { hasText: 'hammers' }).waitFor({ state: 'detached' });
    await visit.button('Close').click();
    await visit.button('Stop').waitFor();
    house.line.delayMs = 0;
    assert.notEqual(await visit.answered(), '');
    await visit.end();
  });

  /** What becomes of the next fetches of gallery pictures; what an <img> shows is none of them. */
  const onFetch = (visit: Visit, become: (route: Route) => Promise<void>) =>
    visit.page.route(/\.(png|jpg)$/, (route) =>
      route.request().resourceType() === 'fetch' ? become(route) : route.continue(),
    );

  test('a picture of the gallery that cannot be fetched is told where it was chosen', async () => {
    const visit = await house.visit();
    await visit.ask(HAMMERS, 'clean-01.jpg');
    const first = await visit.answered();
    await onFetch(visit, (route) => route.abort());
    await visit.button('Gallery').click();
    const choice = visit.page.locator('dialog[open] li button', { hasText: BANANA }).first();
    await choice.click();
    const alert = visit.page.locator('dialog[open] [role=alert]');
    await alert.waitFor({ timeout: 5_000 });
    assert.match((await alert.textContent()) ?? '', /clean-04\.png could not be fetched/);
    assert.equal(await visit.answered(), first);
    await visit.page.unrouteAll();
    await choice.click();
    await visit.page.locator('dialog[open]').waitFor({ state: 'detached' });
    await visit.page.locator('.question', { hasText: 'banana' }).waitFor();
    assert.notEqual(await visit.answered(), '');
    visit.complaints.splice(0); // the browser's own line for what could not be fetched
    await visit.end();
  });

  test('a question that is asked while a picture of the gallery comes is answered', async () => {
    const visit = await house.visit();
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    await onFetch(visit, async (route) => {
      await released;
      await route.continue();
    });
    await visit.page.locator('li button', { hasText: BANANA }).first().click();
    house.line.delayMs = 500;
    await visit.ask(HAMMERS, 'clean-01.jpg');
    await visit.button('Stop').waitFor();
    const finished = visit.page.waitForEvent('requestfinished', (request) => request.resourceType() === 'fetch');
    release();
    await finished;
    await visit.page.waitForTimeout(200);
    house.line.delayMs = 0;
    await visit.page.locator('.question', { hasText: 'hammers' }).waitFor({ timeout: 5_000 });
    assert.notEqual(await visit.answered(), '');
    assert.equal(await visit.answers.count(), 1);
    await visit.end();
  });
});
