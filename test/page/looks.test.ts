/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** Three widths, two themes, the keyboard alone, reduced motion, and texts that are hard to show. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import axe from 'axe-core';
import { COLOURS } from '../../src/report/palette.js';
import { browserPath, MISSING_BROWSER } from '../browser.js';
import { HARD_TEXTS, preloadOf } from './preload.js';
import { House, type Visit } from './visit.js';

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

async function violations({ page }: Visit): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } };
    return (await axe.run()).violations;
  });
  return found.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join('; ')}`,
  );
}

/** Wider than the window, or outside of it where nothing scrolls. */
async function overflow({ page }: Visit): Promise<string[]> {
  return await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const wide = scrollWidth > clientWidth ? [`the page is ${scrollWidth} wide in ${clientWidth}`] : [];
    const outside = [...document.querySelectorAll('h1,h2,h3,p,button,textarea,img,li,dd,figure')]
      .filter((element) => element.closest('.box, .tree, table, .unseen, .skip, dialog:not([open])') === null)
      .filter((element) => {
        const { left, right, width } = element.getBoundingClientRect();
        return width > 0 && (right > clientWidth + 1 || left < -1);
      });
    return [...wide, ...outside.map((element) => element.outerHTML.slice(0, 90))];
  });
}

describe('how it looks', { skip: browserPath === undefined ? MISSING_BROWSER : false }, () => {
  let house: House;
  before(async () => {
    house = await House.open();
  });
  after(() => house?.close());

  async function aligned(visit: Visit): Promise<void> {
    await visit.useSeed(1);
    await visit.ask('Explain how I can make this.', 'drawn-08.png');
    await visit.answered();
    if ((await visit.why.count()) === 0) await visit.button('See why').click();
    await visit.openTable();
    await visit.button('Show it all the same').click();
  }

  for (const [width, colorScheme] of [
    [360, 'light'],
    [768, 'dark'],
    [1600, 'light'],
    [1600, 'dark'],
  ] as const) {
    test(`at ${width} pixels, ${colorScheme}: nothing overflows, axe-core finds nothing`, async () => {
      const visit = await house.visit({ viewport: { width, height: 800 }, colorScheme, reducedMotion: 'reduce' });
      await visit.page.locator('.scroll img').first().waitFor();
      assert.deepEqual(await overflow(visit), []);
      assert.deepEqual(await violations(visit), []);
      await aligned(visit);
      await visit.button(/^Options/).click();
      assert.deepEqual(await overflow(visit), []);
      assert.deepEqual(await violations(visit), []);
      await visit.button('Conversations').click();
      assert.deepEqual(await overflow(visit), []);
      assert.deepEqual(await violations(visit), []);
      await visit.end();
    });
  }

  test('at 360 pixels two pictures of the gallery stand beside each other, on the page and in its window', async () => {
    const visit = await house.visit({ viewport: { width: 360, height: 800 } });
    const inFirstRow = (place: string) =>
      visit.page.locator(`${place} li`).evaluateAll((items) => {
        const tops = items.map((item) => item.getBoundingClientRect().top);
        return tops.filter((top) => top === tops[0]).length;
      });
    await visit.page.locator('.scroll img').first().waitFor();
    assert.equal(await inFirstRow('.scroll'), 2);
    await visit.button('Gallery').click();
    assert.equal(await inFirstRow('dialog[open]'), 2);
    await visit.end();
  });

  test('the empty page has one edge on either side: gallery and question stand in line', async () => {
    const visit = await house.visit();
    const edges = (selector: string) =>
      visit.page.locator(selector).evaluate((element) => {
        const { left, right } = element.getBoundingClientRect();
        return [Math.round(left), Math.round(right)];
      });
    await visit.page.locator('.scroll img').first().waitFor();
    for (const width of [360, 700, 900, 1000, 1100, 1600]) {
      await visit.page.setViewportSize({ width, height: 800 });
      assert.deepEqual(await edges('.scroll ul >> nth=0'), await edges('.composer'), `${width}`);
    }
    await visit.end();
  });

  test('the checks see a page that is too wide, and one that nobody can read', async () => {
    const visit = await house.visit();
    await visit.page.evaluate(() => {
      const line = document.createElement('p');
      line.textContent = 'faint';
      line.style.cssText = 'width: 3000px; color: #ddd; background: #fff';
      document.querySelector('.greeting')?.append(line);
    });
    assert.notDeepEqual(await overflow(visit), []);
    assert.match((await violations(visit)).join(), /color-contrast/);
    await visit.page.evaluate(() => {
      document.body.insertAdjacentHTML(
        'beforeend',
        '<img src="http://127.0.0.1:9/x.png" onerror="globalThis.ran = 1" alt="">',
      );
    });
    await visit.page.waitForTimeout(200);
    assert.throws(() => visit.assertQuiet());
    assert.equal(await visit.page.evaluate(() => 'ran' in globalThis), false);
  });

  test('the theme follows the system, can be chosen, and is kept; its colours are those of reports', async () => {
    const visit = await house.visit({ colorScheme: 'dark' });
    const colours = () =>
      visit.page.evaluate((names) => {
        const probe = document.body.appendChild(document.createElement('i'));
        const found = names.map((name) => {
          probe.style.color = `var(--${name})`;
          return [name, getComputedStyle(probe).color];
        });
        probe.remove();
        return Object.fromEntries(found) as Record<string, string>;
      }, NAMES);
    assert.deepEqual(await colours(), palette('dark'));
    await visit.button(/^Colours: as the system/).click();
    assert.deepEqual(await colours(), palette('light'));
    await visit.page.reload();
    await visit.field.waitFor();
    assert.deepEqual(await colours(), palette('light'));
    await visit.button(/^Colours: light/).click();
    assert.deepEqual(await colours(), palette('dark'));
    await visit.end();
  });

  test('with reduced motion nothing moves for long', async () => {
    const visit = await house.visit({ reducedMotion: 'reduce' });
    await aligned(visit);
    const longest = await visit.page.evaluate(() =>
      Math.max(
        ...[...document.querySelectorAll('*')].flatMap((element) => {
          const { animationDuration, transitionDuration } = getComputedStyle(element);
          return [animationDuration, transitionDuration].map((text) => Number.parseFloat(text));
        }),
      ),
    );
    assert.ok(longest < 0.01, `${longest} s`);
    await visit.end();
  });

  test('the keyboard alone: from the skip link to the answer, its reasons, and another question', async () => {
    const visit = await house.visit();
    const { keyboard } = visit.page;
    const focused = () =>
      visit.page.evaluate(() => {
        const element = document.activeElement;
        return element?.getAttribute('aria-label') ?? element?.textContent?.trim() ?? '';
      });
    const tabTo = async (name: string) => {
      for (let count = 0; count < 60; count++) {
        await keyboard.press('Tab');
        if ((await focused()).startsWith(name)) return;
      }
      assert.fail(`Tab does not reach ${name}`);
    };
    await keyboard.press('Tab');
    assert.equal(await focused(), 'Skip to the question');
    await keyboard.press('Enter');
    assert.equal(await focused(), 'Your question');
    await keyboard.type('What colour is');
    await keyboard.press('Shift+Enter');
    await keyboard.type('a banana?');
    assert.equal(await visit.field.inputValue(), 'What colour is\na banana?');
    await keyboard.press('Enter');
    await visit.answered();
    assert.equal(await focused(), 'Your question');
    await visit.page.locator('.skip').focus();
    for (const name of [
      'Who answers',
      'New',
      'Conversations',
      'Colours',
      'Questions and answers',
      'Edit this question',
      'Copy',
    ])
      await tabTo(name);
    await keyboard.press('Shift+Tab');
    await keyboard.press('Enter'); // Edit
    assert.equal(await focused(), 'The question, to ask again');
    await keyboard.press('Escape');
    assert.equal(await focused(), 'Edit this question and ask again');
    await visit.button('Conversations').focus();
    await keyboard.press('Enter');
    assert.equal(await visit.page.locator('dialog[open]').count(), 1);
    await keyboard.press('Escape');
    assert.equal(await visit.page.locator('dialog[open]').count(), 0);
    assert.equal(await focused(), 'Conversations');
    await visit.end();
  });

  test('a screen reader hears the beginning and the end, and no more than a few pieces between', async () => {
    const visit = await house.visit();
    await visit.page.evaluate(() => {
      const region = document.querySelector('[role=status]') as Element;
      const said: string[] = [];
      (globalThis as unknown as { said: string[] }).said = said;
      new MutationObserver(() => said.push(region.textContent ?? '')).observe(region, {
        characterData: true,
        childList: true,
        subtree: true,
      });
    });
    await visit.useMethod('vanilla');
    await visit.ask('What do you see in the image?', 'clean-06.jpg');
    const text = await visit.answered();
    await visit.page.waitForTimeout(100);
    const said = await visit.page.evaluate(() => (globalThis as unknown as { said: string[] }).said);
    assert.equal(said[0], 'Answering.');
    assert.ok(said.length <= 4, said.join(' | '));
    assert.ok(said.at(-1)?.includes(text.slice(-12)), said.join(' | '));
    assert.match(said.at(-1) ?? '', /Nothing was checked/);
    await visit.end();
  });

  for (const width of [360, 1600]) {
    test(`texts that are hard to show, at ${width} pixels, through the preload API of a desktop app`, async () => {
      const visit = await house.visit({ viewport: { width, height: 800 } }, preloadOf(HARD_TEXTS));
      for (const [at, text] of HARD_TEXTS.entries()) {
        await visit.field.fill(text.slice(0, 3_000));
        await visit.field.press('Enter');
        await visit.answered(at + 1);
      }
      assert.deepEqual(await overflow(visit), []);
      const shown = await visit.answers.locator('.text').allTextContents();
      assert.equal(shown[0], HARD_TEXTS[0], 'a long answer is there whole');
      assert.equal(shown[2], HARD_TEXTS[2], 'markup is text');
      assert.equal(shown[3], 'safe ⟨U+202E⟩gpj.exe⟨U+200B⟩');
      assert.equal(await visit.answers.locator('b, script, img').count(), 0);
      const rtl = await visit.answers
        .nth(4)
        .locator('.text')
        .evaluate((element) => {
          const range = document.createRange();
          range.selectNodeContents(element);
          const { right } = range.getClientRects()[0] as DOMRect;
          return { toEdge: element.getBoundingClientRect().right - right };
        });
      assert.ok(Math.abs(rtl.toEdge) < 2, `right-to-left text begins ${rtl.toEdge} pixels from the right`);
      assert.deepEqual(
        visit.requests.filter((url) => /chat|facts|gallery$/.test(url)),
        [],
        'the preload API is not used',
      );
      await visit.end();
    });
  }
});

const NAMES = ['page', 'panel', 'ink', 'quiet', 'grid', 'rule', 'safe', 'unsafe'];

/** As a browser tells colours. */
function palette(scheme: 'light' | 'dark'): Record<string, string> {
  const told = (hex: string) => `rgb(${[1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(', ')})`;
  return Object.fromEntries(NAMES.map((name) => [name, told(COLOURS[name]?.[scheme] ?? '')]));
}
