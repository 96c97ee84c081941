/** The built site, held against itself: every link leads to a page and a heading of it, and nothing comes from elsewhere. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';

/** What a browser fetches by itself; `a` alone waits for a click. */
const FETCHED = /<(?:script|img|source|iframe|video|audio|link)\b[^>]*?\s(?:src|href)="([^"]+)"/g;
const LINKED = /<a\b[^>]*?\shref="([^"]+)"/g;
const IN_STYLE = /(?:url\(\s*["']?|@import\s+["'])((?:https?:)?\/\/[^"')\s]+)/g;

/**
 * @param {string} folder the built site
 * @param {string} [base] where it will lie on its host: '/' or '/folder/'
 * @returns {string[]} what is wrong, a line each
 */
export function faultsOf(folder, base = '/') {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => path.split(sep).join('/'));
  const ids = new Map();
  const idsOf = (/** @type {string} */ path) => {
    if (!ids.has(path)) ids.set(path, idsIn(readFileSync(join(folder, path), 'utf8')));
    return ids.get(path);
  };
  const faults = new Set();
  let linkCount = 0;
  for (const path of files) {
    if (path.endsWith('.css')) {
      for (const [, url] of readFileSync(join(folder, path), 'utf8').matchAll(IN_STYLE))
        faults.add(`${path} loads ${url}`);
    }
    if (!path.endsWith('.html')) continue;
    const text = readFileSync(join(folder, path), 'utf8');
    for (const [, url = ''] of text.matchAll(FETCHED))
      if (/^(https?:)?\/\//.test(url)) faults.add(`${path} loads ${url}`);
    for (const [, target = ''] of [...text.matchAll(FETCHED), ...text.matchAll(LINKED)]) {
      linkCount++;
      const fault = brokenLink(path, target.replaceAll('&amp;', '&'), { base, folder, idsOf });
      if (fault !== null) faults.add(fault);
    }
  }
  if (linkCount < 100)
    faults.add(
      `Expected a site of pages that link to each other, received ${linkCount} links in ${relative('.', folder)}.`,
    );
  return [...faults].sort();
}

/** @param {string} html */
export const idsIn = (html) => new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id = '']) => decode(id)));

/**
 * @param {string} path of the page
 * @param {string} target as it stands in the page
 * @param {{ base: string, folder: string, idsOf: (path: string) => ReadonlySet<string> }} site
 * @returns {string | null} what is wrong
 */
export function brokenLink(path, target, { base, folder, idsOf }) {
  if (/^(?:https?:|mailto:|data:)/.test(target)) return null;
  const [way = '', anchor] = target.split('#');
  const wayBelow = way.startsWith('/')
    ? way.startsWith(base)
      ? way.slice(base.length)
      : null
    : posix.join(posix.dirname(path), way);
  if (wayBelow === null) return `${path} links to ${target}, outside of ${base}`;
  const place = way === '' ? path : decodeURI(wayBelow).replace(/(^|\/)\.?$/, '$1index.html');
  if (place.startsWith('..') || !existsSync(join(folder, place)))
    return `${path} links to ${target}, which is not there`;
  if (anchor === undefined || anchor === '' || !place.endsWith('.html')) return null;
  return idsOf(place).has(decode(anchor)) ? null : `${path} links to ${target}: that page has no such heading`;
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
