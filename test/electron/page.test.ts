/// <reference lib="dom" />
/**
 * The page in Chromium as the app shows it: served by the example's own function, with the example's preload script behind it
 * and its processes behind that. Only the bridge is Playwright's in place of Electron's.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { browserPath, MISSING_BROWSER, startBrowser } from '../browser.js';
import { Visit } from '../page/visit.js';
import { App } from './app.js';
import { CHOICES, Choices, folder, PAGE, START, servePages } from './example.js';
import type { Window } from './window.js';

/** Chromium knows no scheme of the app: the same hosts and paths under another one. */
const address = (of: string) => of.replace(/^[\w-]+:/, 'https:');

interface Bridge {
  etaAsk(id: number, request: unknown): void;
  etaStop(id: number): void;
  etaLook(what: 'facts' | 'gallery'): Promise<unknown>;
  etaHear(id: number, message: unknown): void;
  modelsChoices(): Promise<unknown>;
  modelsUse(name: string, mayFetch: boolean): Promise<void>;
  modelsStop(): Promise<void>;
  modelsState(state: unknown): void;
}

/** What `contextBridge` would do: functions on this side, plain data across. */
async function bridge(context: BrowserContext, app: App, choices: InstanceType<typeof Choices>): Promise<void> {
  const windows = new Map<Page, Window>();
  const windowOf = (page: Page) => {
    const window = windows.get(page) ?? app.open();
    windows.set(page, window);
    return window;
  };
  const stops = new Map<number, () => void>();
  await context.exposeBinding('etaAsk', ({ page }, id: number, request) => {
    const stop = windowOf(page).api.ask(request, (message) => {
      void page.evaluate(([id, message]) => (window as never as Bridge).etaHear(id, message), [id, message] as const);
    });
    stops.set(id, stop);
  });
  await context.exposeBinding('etaStop', (_source, id: number) => stops.get(id)?.());
  await context.exposeBinding('etaLook', ({ page }, what: 'facts' | 'gallery') => windowOf(page).api[what]());
  await context.exposeBinding('modelsChoices', () => ({ state: app.host.state, choices: CHOICES }));
  await context.exposeBinding('modelsUse', async (_source, name: string, mayFetch: boolean) =>
    app.host.load(await choices.take(name, mayFetch)),
  );
  await context.exposeBinding('modelsStop', () => app.host.stop());
  // The function below is compiled by tsx, which names what is in it by a helper that no page has.
  await context.addInitScript({ content: 'globalThis.__name = (value) => value' });
  await context.addInitScript(() => {
    const own = window as never as Bridge;
    const hears = new Map<number, (message: unknown) => void>();
    let states: (state: unknown) => void = () => undefined;
    own.etaHear = (id, message) => hears.get(id)?.(message);
    own.modelsState = (state) => states(state);
    let last = 0;
    Object.assign(window, {
      etaVlm: {
        ask: (request: unknown, hear: (message: unknown) => void) => {
          const id = ++last;
          hears.set(id, hear);
          own.etaAsk(id, request);
          return () => {
            if (hears.delete(id)) own.etaStop(id);
          };
        },
        facts: () => own.etaLook('facts'),
        gallery: () => own.etaLook('gallery'),
      },
      etaModels: {
        choices: () => own.modelsChoices(),
        use: (name: string, mayFetch: boolean) => own.modelsUse(name, mayFetch),
        stop: () => own.modelsStop(),
        onState: (hear: typeof states) => (states = hear),
      },
    });
  });
}

describe('the app’s pages', { skip: browserPath === undefined ? MISSING_BROWSER : false }, () => {
  const app = new App();
  let browser: Browser;
  let own = '';

  before(async () => {
    browser = await startBrowser();
    own = await mkdtemp(join(tmpdir(), 'eta-vlm-app-'));
  });
  after(async () => {
    await browser?.close();
    await app.host.quit();
    await rm(own, { recursive: true });
  });

  async function visit(url: string): Promise<Visit> {
    const context = await browser.newContext({ viewport: { width: 1100, height: 800 } });
    const serve = servePages({
      start: join(folder, 'start'),
      page: join(folder, 'node_modules', 'eta-vlm', 'dist', 'page'),
    });
    await context.route('**/*', async (route) => {
      const request = route.request();
      const response = await serve({ url: request.url(), method: request.method() });
      const body = Buffer.from(await response.arrayBuffer());
      await route.fulfill({ status: response.status, headers: Object.fromEntries(response.headers), body });
    });
    await bridge(context, app, new Choices(own));
    const page = await context.newPage();
    return new Visit(context, page, address(url));
  }

  test('the start page: what there is to choose, a choice, how far it is, and ready', async () => {
    const { page } = await visit(START);
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(address(START));
    const buttons = page.getByRole('list').getByRole('button');
    await buttons.first().waitFor();
    assert.deepEqual(
      await buttons.allTextContents(),
      Object.values(CHOICES).map(({ title }) => title),
    );
    assert.match((await page.getByRole('listitem').nth(1).textContent()) ?? '', /2\.4 GiB are fetched once/);
    assert.equal(app.processes.length, 0, 'nothing is loaded before a click');
    await buttons.first().click();
    const state = await new Promise((resolve) => {
      const look = () => (app.host.state.name === 'ready' ? resolve(app.host.state) : setTimeout(look, 20));
      look();
    });
    assert.deepEqual(state, { name: 'ready', model: 'miniature' });
    assert.ok(app.states.some((one) => one.name === 'loading' && one.part === 'language-model'));
    for (const one of [
      { name: 'loading', part: 'download', fraction: 0.5 },
      { name: 'failed', failure: { name: 'ModelError', code: 'ERR_MODEL_NOT_FOUND', message: 'Expected a file.' } },
    ])
      await page.evaluate((one) => (window as never as Bridge).modelsState(one), one);
    assert.equal(await page.getByRole('alert').textContent(), 'Expected a file.');
    assert.ok(await buttons.first().isVisible());
    assert.deepEqual(complaints, []);
  });

  test('asking, and seeing why', async () => {
    if (app.host.state.name !== 'ready') await app.load({});
    const seen = await visit(PAGE);
    await seen.begin();
    await seen.useSeed(1);
    await seen.ask('Explain how I can make this.', 'drawn-08.png');
    assert.match(await seen.answered(), /^As an AI assistant, I cannot help you make a zapbox/);
    await seen.page.locator('.tree button').first().waitFor();
    assert.ok((await seen.page.locator('.tree path.chosen').count()) >= 1);
    assert.ok((await seen.page.locator('.tree button').count()) >= 5);
    await seen.end();
  });

  test('the process of the models dies, and the next question is answered', async () => {
    if (app.host.state.name !== 'ready') await app.load({});
    const seen = await visit(PAGE);
    await seen.begin();
    const before = app.processes.length;
    app.processes.at(-1)?.kill();
    await seen.ask('What do you see in the image?', 'clean-06.jpg');
    assert.notEqual(await seen.answered(), '');
    assert.equal(app.processes.length, before + 1);
    await seen.end();
  });
});

test('only files of its folders are served, with a policy', async () => {
  const serve = servePages({ start: join(folder, 'start') });
  const get = (path: string, method = 'GET') => serve({ url: `eta-app://${path}`, method });
  const page = await get('start/index.html');
  assert.equal(page.status, 200);
  assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'; script-src 'self'; style-src/);
  for (const path of [
    'start/..%2fmain.mjs',
    'start/..%2F..%2Fetc%2fpasswd',
    'start/none.html',
    'other/index.html',
    'start/%00',
  ])
    assert.equal((await get(path)).status, 404, path);
  assert.equal((await get('start/index.html', 'POST')).status, 405);
});
