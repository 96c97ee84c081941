/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Visits of the page in a real browser, with the real server and the miniature behind it. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { type DecisionOptions, type Eta, loadEta, type Method } from '../../src/index.js';
import { type Listening, listen, type ServerOptions } from '../../src/server/index.js';
import { startBrowser } from '../browser.js';
import { Line } from './line.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
assert.ok(
  existsSync(join(root, 'dist', 'page', 'index.html')),
  'Expected dist/page, which these tests visit. Run npm run build first.',
);

/** A shipped picture. */
export const picture = (name: string) => join(root, 'models', 'miniature', 'pictures', name);

/** Server, line and browser of a test file. */
export class House {
  readonly #visits: Visit[] = [];

  private constructor(
    readonly eta: Eta,
    readonly server: Listening,
    readonly line: Line,
    readonly browser: Browser,
    readonly url: string,
  ) {}

  /**
   * @param decisions such as what becomes of an aligned answer that is unsafe
   * @param name that the page is visited under; of any but the loopback ones a browser thinks as of another machine
   */
  static async open(
    apiKey?: string,
    decisions: DecisionOptions = {},
    name = '127.0.0.1',
    more: ServerOptions = {},
  ): Promise<House> {
    const eta = await loadEta({ sequenceCount: 12, contextSize: 4096, onNotice: () => undefined, ...decisions });
    const server = await listen(eta, {
      port: 0,
      allowedHosts: [name],
      ...more,
      ...(apiKey !== undefined && { apiKey }),
    });
    const line = new Line(server.url);
    await line.up();
    const browser = await startBrowser(`--host-resolver-rules=MAP ${name} 127.0.0.1`);
    return new House(eta, server, line, browser, line.url.replace('127.0.0.1', name));
  }

  async visit(options: BrowserContextOptions = {}, before?: (page: Page) => Promise<void>): Promise<Visit> {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const visit = new Visit(context, await context.newPage(), this.url);
    this.#visits.push(visit);
    await visit.begin(before);
    return visit;
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.line.down();
    await this.server.close();
    await this.eta.dispose();
  }
}

/** One context of the browser: nothing is kept from one to the next. */
export class Visit {
  /** What the page said, asked for elsewhere, or was refused by its policy. */
  readonly complaints: string[] = [];
  readonly requests: string[] = [];

  constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    readonly url: string,
  ) {}

  async begin(before?: (page: Page) => Promise<void>): Promise<void> {
    const { page } = this;
    // The functions below are compiled by tsx, which names them by a helper that no page has.
    await page.addInitScript({ content: 'globalThis.__name = (value) => value' });
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ blockedURI, violatedDirective }) =>
        console.error(`refused by policy: ${violatedDirective} ${blockedURI}`),
      );
    });
    page.on('console', (message) => this.complaints.push(message.text()));
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('request', (request) => this.requests.push(request.url()));
    await before?.(page);
    await page.goto(this.url);
    await this.field.waitFor();
  }

  get field(): Locator {
    return this.page.locator('#question');
  }

  get answers(): Locator {
    return this.page.locator('article.answer');
  }

  /** The last answer. */
  get answer(): Locator {
    return this.answers.last();
  }

  get why(): Locator {
    return this.page.locator('div.why');
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, ...(typeof name === 'string' && { exact: true }) });
  }

  async ask(question: string, ...pictures: string[]): Promise<void> {
    if (pictures.length > 0) {
      await this.page.locator('input[type=file]').setInputFiles(pictures.map(picture));
      await this.page
        .locator('.composer img')
        .nth(pictures.length - 1)
        .waitFor();
    }
    await this.field.fill(question);
    await this.field.press('Enter');
  }

  /** Until the last of `count` answers is whole. */
  async answered(count = 1): Promise<string> {
    await this.answers
      .nth(count - 1)
      .and(this.page.locator('[aria-busy=false]'))
      .waitFor({ timeout: 30_000 });
    return (
      (await this.answers
        .nth(count - 1)
        .locator('.text')
        .textContent()) ?? ''
    );
  }

  /** The table of the search, which is drawn once it is opened. */
  async openTable(): Promise<void> {
    await this.page.getByText('The same as a table').click();
    await this.page.getByRole('region', { name: 'Table of the search' }).waitFor();
  }

  async useMethod(method: Method): Promise<void> {
    await this.button('Options').click();
    await this.page.getByLabel('Method').selectOption(method);
    await this.button(/^Options/).click();
  }

  /** With a seed, as a user chooses one. */
  async useSeed(seed: number): Promise<void> {
    await this.button('Options').click();
    await this.page.getByLabel('Seed').fill(String(seed));
    await this.page.getByLabel('Seed').press('Tab');
    await this.button(/^Options/).click();
  }

  /** From now on, every text that elements of a selector have together: none is missed, however fast it changes. */
  async record(selector: string): Promise<() => Promise<string[]>> {
    await this.page.evaluate((selector) => {
      const seen: string[] = [];
      Object.assign(globalThis, { [selector]: seen });
      new MutationObserver(() => {
        const text = [...document.querySelectorAll(selector)].map(({ textContent }) => textContent).join('\n');
        if (seen.at(-1) !== text) seen.push(text);
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    }, selector);
    return () =>
      this.page.evaluate((selector) => (globalThis as unknown as Record<string, string[]>)[selector] ?? [], selector);
  }

  /** Nothing was complained about, nothing asked of another host. */
  assertQuiet(): void {
    assert.deepEqual(this.complaints, []);
    const elsewhere = this.requests.filter((url) => !url.startsWith(this.url) && !/^(data|blob):/.test(url));
    assert.deepEqual(elsewhere, []);
  }

  async end(): Promise<void> {
    this.assertQuiet();
    await this.context.close();
  }
}
