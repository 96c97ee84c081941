/** How the site looks: its parts come from the map in docs/README.md, its pages from ../pages.mjs and ../api.mjs. */
import { existsSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitepress';
import { slug } from '../links.mjs';

const read = (/** @type {string} */ path) => readFileSync(new URL(`../build/pages/${path}`, import.meta.url), 'utf8');
const { version, description } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** "## Use it" of the map, with the first link of each row below it; a page goes by its own first heading. */
function partsOfMap() {
  return read('docs/index.md')
    .split(/^## /m)
    .slice(1)
    .map((part) => ({
      text: part.slice(0, part.indexOf('\n')),
      items: [...part.matchAll(/^\| \[[^\]]+\]\(([^)#]+)[^)]*\)/gm)].map(([, target = '']) => {
        const page = new URL(target, 'file:///docs/').pathname.slice(1);
        return { text: titleOf(page), link: `/${page.replace(/(index)?\.md$/, '')}` };
      }),
    }))
    .filter(({ items }) => items.length > 0);
}

const titleOf = (/** @type {string} */ page) => (/^# (.+)$/m.exec(read(page))?.[1] ?? page).replaceAll('`', '');

const parts = partsOfMap();

/** The entries of the package one under another; TypeDoc hangs `eta-vlm/engine` below a second `eta-vlm`. */
function entriesOfApi() {
  if (!existsSync(new URL('../build/pages/api/typedoc-sidebar.json', import.meta.url))) return [];
  const [others, own] = JSON.parse(read('api/typedoc-sidebar.json'));
  return [{ ...own, collapsed: false }, ...others.items.map((entry) => ({ ...entry, text: `eta-vlm/${entry.text}` }))];
}

/** How words are found; what is a function here runs in the browser, and knows nothing around it. */
const miniSearch = {
  options: {
    /** Words that every page has tell none from another. */
    processTerm: (/** @type {string} */ term) =>
      /^(a|an|and|are|as|at|be|by|can|do|for|from|how|i|in|is|it|my|of|on|or|the|that|this|to|what|with|you)$/i.test(
        term,
      )
        ? null
        : term.toLowerCase(),
  },
  searchOptions: {
    combineWith: 'AND',
    fuzzy: (/** @type {string} */ term) => (term.length > 4 ? 0.2 : false),
    prefix: (/** @type {string} */ term) => term.length > 2,
    /** What changed is asked for less often than what holds. */
    boostDocument: (/** @type {string} */ id) => (id.includes('CHANGELOG') ? 0.1 : id.includes('/api/') ? 0.5 : 1),
  },
};

export default defineConfig({
  srcDir: 'build/pages',
  outDir: 'build/html',
  cacheDir: 'build/cache',
  title: 'eta-vlm',
  description,
  lang: 'en',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  markdown: { anchor: { slugify: slug }, lineNumbers: false },
  themeConfig: {
    nav: [
      ...parts.slice(0, 3).map(({ text, items: [first] }) => ({ text, link: first?.link ?? '/', activeMatch: '^$' })),
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
      { text: version, link: '/CHANGELOG' },
    ],
    sidebar: {
      '/api/': entriesOfApi(),
      '/': [...parts, { text: 'Reference', items: [{ text: 'API', link: '/api/' }] }],
    },
    outline: { level: [2, 3] },
    search: { provider: 'local', options: { miniSearch } },
    footer: { message: 'MIT. The weights of the miniature have a licence of their own.' },
  },
});
