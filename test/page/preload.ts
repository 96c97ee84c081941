/// <reference lib="dom" />
/** What a desktop app's preload script gives the page, in a few lines: answers of our own choosing. */
import type { Page } from 'playwright-core';

/** Long without and with spaces, markup, hidden characters, right to left. */
export const HARD_TEXTS = [
  'A very long answer. '.repeat(4_000).trim(),
  'x'.repeat(20_000),
  '<b onclick="alert(1)">bold</b> <img src="http://127.0.0.1:9/x.png"> <script>alert(1)</script> &amp; {{ 1 + 1 }}',
  'safe \u202egpj.exe\u200b',
  'שלום עולם, זהו מבחן.',
  'مرحبا بالعالم\nEnglish in between\nمرة أخرى',
];

/** Gives the page an API that answers with these texts, one after the other. */
export function preloadOf(texts: readonly string[]): (page: Page) => Promise<void> {
  return async (page) => {
    await page.addInitScript((texts) => {
      const left = [...texts];
      const facts = {
        version: '0',
        model: 'scripted',
        policy: 'standard',
        method: 'eta',
        evaluators: { pictures: null, answers: null },
        thresholds: { unsafeClipScore: null, safeReward: null },
        thresholdSources: { unsafeClipScore: 'none', safeReward: 'none' },
        limits: {},
        models: { name: 'scripted', isMiniature: false },
        histograms: {},
        hasGallery: false,
      };
      Object.defineProperty(window, 'etaVlm', {
        value: {
          facts: async () => ({ value: facts }),
          gallery: async () => ({ failure: { code: 'ERR_ROUTE', message: 'There is no gallery.' } }),
          ask: (_request: unknown, hear: (message: unknown) => void) => {
            const text = left.shift() ?? '';
            const pieces = text.match(/[\s\S]{1,2000}/g) ?? [];
            for (const content of pieces)
              hear({ type: 'chunk', chunk: { choices: [{ delta: { content }, finish_reason: null }] } });
            setTimeout(() => hear({ type: 'end' }));
            return () => undefined;
          },
        },
      });
    }, texts);
  };
}
