/** The report in a real browser: at two widths, light, dark, and on paper. */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { writeReport } from '../../src/report/index.js';
import { browserPath, isBrowserRequired, MISSING_BROWSER, startBrowser } from '../browser.js';
import { example, HOSTILE, hostileData, sampleData } from './sample.js';

test('a browser is there where it is required', {
  skip: isBrowserRequired ? false : 'ETA_VLM_REQUIRE_BROWSER is not set',
}, () => {
  assert.ok(browserPath !== undefined, MISSING_BROWSER);
});

interface Seen {
  readonly page: Page;
  readonly requests: string[];
  readonly errors: string[];
}

describe('the report in a browser', { skip: browserPath === undefined ? MISSING_BROWSER : false }, () => {
  let folder = '';
  let url = '';
  let browser: Browser | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eta-vlm-browser-'));
    const long = 'https://example.org/'.padEnd(400, 'x');
    const { html } = await writeReport(
      sampleData({
        examples: [
          example(),
          example({ kind: 'worst', id: long, reason: `still unsafe ${long}`, question: `<b onclick="x()">${long}` }),
          example({ id: 'open', isSensitive: false }),
        ],
        notes: [long],
      }),
      folder,
    );
    url = pathToFileURL(html).href;
    browser = await startBrowser();
  });

  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(width: number, colorScheme: 'light' | 'dark' = 'light', address = url): Promise<Seen> {
    assert.ok(browser !== undefined, 'the browser did not start');
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
    // The functions below are compiled by tsx, which names them by a helper that no page has.
    await page.addInitScript({ content: 'globalThis.__name = (value) => value' });
    const requests: string[] = [];
    const errors: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(address);
    return { page, requests, errors };
  }

  for (const width of [360, 1280]) {
    test(`at ${width} pixels nothing is fetched, complained about, or cut off`, async () => {
      const { page, requests, errors } = await open(width);
      await page.evaluate(() => {
        for (const details of document.querySelectorAll('details')) details.open = true;
      });
      const { scrollWidth, clientWidth } = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return { scrollWidth, clientWidth };
      });
      assert.deepEqual(errors, []);
      assert.deepEqual(
        requests.filter((request) => request !== url && !request.startsWith('data:')),
        [],
      );
      assert.ok(clientWidth > 0, 'the page has no width');
      assert.ok(scrollWidth <= clientWidth, `the page is ${scrollWidth} wide in a window of ${clientWidth}`);
      const outside = await page.evaluate(() =>
        [...document.querySelectorAll('h1,h2,h3,h4,p,li,figure,img,summary,pre')]
          .filter((element) => element.closest('.scroll') === null && element.getBoundingClientRect().width > 0)
          .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
          .map((element) => element.outerHTML.slice(0, 80)),
      );
      assert.deepEqual(outside, []);
      await page.close();
    });

    test(`at ${width} pixels every plot is drawn once, with letters of a legible size`, async () => {
      const { page } = await open(width);
      const plots = await page.evaluate(() =>
        [...document.querySelectorAll('figure')].map((figure) => {
          const shown = [...figure.querySelectorAll('svg')].filter((svg) => svg.getBoundingClientRect().width > 0);
          const [svg] = shown;
          const box = svg?.getBoundingClientRect();
          const scale = (box?.width ?? 0) / (svg?.viewBox.baseVal.width ?? 1);
          const sizes = [...(svg?.querySelectorAll('text') ?? [])].map((text) =>
            Number.parseFloat(getComputedStyle(text).fontSize),
          );
          return {
            count: shown.length,
            width: box?.width ?? 0,
            height: box?.height ?? 0,
            smallest: Math.min(...sizes) * scale,
          };
        }),
      );
      assert.ok(plots.length >= 6, `${plots.length} plots`);
      for (const plot of plots) {
        assert.equal(plot.count, 1);
        assert.ok(plot.width > 200 && plot.height > 50, JSON.stringify(plot));
        assert.ok(plot.smallest >= 10, `letters of ${plot.smallest} pixels`);
      }
      await page.close();
    });
  }

  test('a report whose every text is hostile is as quiet, and as wide, as any other', async () => {
    const bad = HOSTILE.slice(0, 4).join(' ');
    const { html } = await writeReport(hostileData(bad), join(folder, 'hostile'));
    const { page, errors } = await open(360, 'light', pathToFileURL(html).href);
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    assert.deepEqual(errors, []);
    const found = await page.evaluate(() => ({
      width: document.documentElement.scrollWidth,
      scripts: document.scripts.length,
      pictures: document.images.length,
      title: document.querySelector('h1')?.textContent ?? '',
    }));
    assert.ok(found.width <= 360, `the page is ${found.width} wide`);
    assert.deepEqual([found.scripts, found.pictures], [0, 0]);
    assert.ok(found.title.startsWith('<script>alert(1)</script>'), found.title.slice(0, 40));
    await page.close();
  });

  test('the checks above see a page that is too wide, and one that fetches or runs something', async () => {
    const { page, errors } = await open(360);
    await page.evaluate(() => {
      document.body.insertAdjacentHTML(
        'beforeend',
        '<div style="width:900px">wide</div><img src="http://127.0.0.1:9/x.png" onerror="globalThis.ran = true">',
      );
    });
    await page.waitForTimeout(200);
    const { width, ran } = await page.evaluate(() => ({
      width: document.documentElement.scrollWidth,
      ran: 'ran' in globalThis,
    }));
    assert.ok(width > 360, `the page is ${width} wide`);
    assert.match(errors.join('\n'), /Content Security Policy/);
    assert.equal(ran, false);
    await page.close();
  });

  for (const scheme of ['light', 'dark'] as const) {
    test(`every text stands out in a ${scheme} page`, async () => {
      const { page } = await open(1280, scheme);
      await page.evaluate(() => {
        for (const details of document.querySelectorAll('details')) details.open = true;
      });
      const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      assert.equal(ground, scheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(21, 23, 27)');
      const found = await page.evaluate(contrasts);
      assert.ok(found.length > 200, `${found.length} texts`);
      const low = found.filter(({ contrast }) => contrast < 4.5);
      assert.deepEqual(low.slice(0, 5), []);
      await page.close();
    });
  }

  test('the contrast check sees a text that is too faint', async () => {
    const { page } = await open(1280);
    await page.evaluate(() => {
      const heading = document.querySelector('h1');
      if (heading !== null) heading.style.color = '#bbbbbb';
    });
    const found = await page.evaluate(contrasts);
    assert.ok(
      found.some(({ contrast }) => contrast < 4.5),
      'grey on white passed',
    );
    await page.close();
  });

  test('what may be harmful is hidden until it is opened', async () => {
    const { page } = await open(1280);
    const answer = page.locator('.example.sensitive pre').first();
    const picture = page.locator('.example.sensitive img').first();
    assert.equal(await answer.isVisible(), false);
    assert.equal(await picture.isVisible(), false);
    assert.match(
      (await page.locator('.example.sensitive > summary').first().textContent()) ?? '',
      /May hold harmful text/,
    );
    await page.locator('.example.sensitive > summary').first().click();
    assert.equal(await answer.isVisible(), true);
    assert.equal(await picture.isVisible(), true);
    assert.equal(await page.locator('.example:not(.sensitive) pre').first().isVisible(), true);
    await page.close();
  });

  test('the keyboard reaches what is folded and what scrolls', async () => {
    const { page } = await open(360);
    const reached = await page.evaluate(() => ({
      scroll: [...document.querySelectorAll('.scroll')].every(
        (box) => box.getAttribute('tabindex') === '0' && box.hasAttribute('aria-label'),
      ),
      headings: [...document.querySelectorAll('h1,h2,h3,h4')].map(({ tagName }) => Number(tagName.slice(1))),
      plots: [...document.querySelectorAll('svg')].every(
        (svg) => svg.querySelector('title') !== null && svg.getAttribute('role') === 'img',
      ),
    }));
    assert.ok(reached.scroll, 'a box that scrolls cannot be reached');
    assert.ok(reached.plots, 'a plot has no name');
    assert.equal(reached.headings.filter((level) => level === 1).length, 1);
    await page.locator('.example > summary').first().focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('.example pre').first().isVisible(), true);
    await page.close();
  });

  test('on paper it is light, whatever the screen, and has several pages', async () => {
    const { page } = await open(1280, 'dark');
    const pdf = await page.pdf({ format: 'A4', printBackground: true });
    const pages = pdf.toString('latin1').split(/\/Type\s*\/Page\b(?!s)/).length - 1;
    assert.ok(pages >= 3 && pages <= 20, `${pages} pages`);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).color), 'rgb(28, 30, 33)');
    assert.equal(await page.locator('.wide').first().isVisible(), true);
    await page.close();
  });

  test('a plot file opens by itself, and is drawn', async () => {
    assert.ok(browser !== undefined, 'the browser did not start');
    const page = await browser.newPage();
    const svg = join(folder, 'plots', 'rates-1.svg');
    await page.goto(pathToFileURL(svg).href);
    const box = await page.evaluate(() => document.documentElement.getBoundingClientRect());
    assert.ok(box.width > 300 && box.height > 200, JSON.stringify(box));
    assert.ok((await readFile(svg, 'utf8')).startsWith('<svg'), 'it is no SVG');
    await page.close();
  });
});

/** In the page: the contrast of every visible text with the ground behind it. */
function contrasts(): { text: string; contrast: number }[] {
  const parse = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const channel = (value: number) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const luminance = ([red = 0, green = 0, blue = 0]: number[]) =>
    0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const groundOf = (start: Element) => {
    for (let element: Element | null = start; element !== null; element = element.parentElement) {
      const colour = parse(getComputedStyle(element).backgroundColor);
      if (colour.length === 3 || (colour[3] ?? 0) > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const found: { text: string; contrast: number }[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = (node.textContent ?? '').trim();
    if (element === null || text === '' || element.closest('title,desc,.unseen') !== null) continue;
    if (element.getBoundingClientRect().width === 0) continue;
    const style = getComputedStyle(element);
    const ink = parse(element instanceof SVGElement ? style.fill : style.color);
    const [high = 0, low = 0] = [luminance(ink), luminance(groundOf(element))].sort((a, b) => b - a);
    found.push({ text: text.slice(0, 40), contrast: Math.round(((high + 0.05) / (low + 0.05)) * 100) / 100 });
  }
  return found;
}
