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
    search: { provider: 'local' },
    footer: { message: 'MIT. The weights of the miniature have a licence of their own.' },
  },
});
