/** The browser of this machine, for tests of pages. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'msedge'];

/** Undefined where there is none; then tests are skipped. */
export const browserPath = findBrowser();
/** Then they fail instead. */
export const isBrowserRequired = process.env['ETA_VLM_REQUIRE_BROWSER'] === '1';
export const MISSING_BROWSER = `no Chrome or Chromium (${NAMES.join(', ')}) is on PATH; name one in ETA_VLM_BROWSER`;

function findBrowser(): string | undefined {
  const named = process.env['ETA_VLM_BROWSER'];
  if (named !== undefined && named !== '') return named;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const paths = folders.flatMap((folder) => NAMES.flatMap((name) => [join(folder, name), join(folder, `${name}.exe`)]));
  paths.push('/Applications/Google Chrome.app/Contents/MacOS/Google Chrome');
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** @param args of the command line, beside our own */
export async function startBrowser(...args: string[]): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return await chromium.launch({ executablePath: browserPath as string, args: ['--no-sandbox', ...args] });
}
