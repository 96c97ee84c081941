/** What makes the site of these pages, without VitePress: how they are laid out, and the check of what was built. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { faultsOf } from '../../site/check.mjs';
import { slug, withLinks } from '../../site/links.mjs';
import { layOut } from '../../site/pages.mjs';
import { anchorsOf, root } from './pages.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-site-'));
after(() => rmSync(folder, { recursive: true }));

function put(place: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, place, path)), { recursive: true });
    writeFileSync(join(folder, place, path), text);
  }
  return join(folder, place);
}

test('every page is laid out, with what it links to; a folder lists its files, a program is shown', () => {
  const target = join(folder, 'pages');
  layOut(root, target);
  const read = (path: string) => readFileSync(join(target, path), 'utf8');
  assert.match(read('index.md'), /\]\(\.\/docs\/limits\.md\)/);
  assert.match(read('docs/index.md'), /^## Use it$/m);
  assert.match(read('deploy/slurm.sbatch.md'), /^````sh\n#!/m);
  assert.match(read('examples/index.md'), /respond\.mjs\.md/);
  assert.match(read('examples/respond.mjs.md'), /^````js\n/m);
});

test('links in code are left as they are, and headings are called as on GitHub', () => {
  const text = '[`a`](b.md) `[c](d.md)` <img src="e.png">\n```\n[f](g.md)\n```\n';
  assert.equal(
    withLinks(text, (link) => `x/${link}`),
    '[`a`](x/b.md) `[c](d.md)` <img src="x/e.png">\n```\n[f](g.md)\n```\n',
  );
  const heading = 'Why an answer ends – `stop`, it "is"';
  assert.deepEqual([slug(heading.replaceAll('`', ''))], anchorsOf(`# ${heading}`));
});

const links = '<a href="/b.html#there">b</a>'.repeat(100);
const whole = { 'index.html': `<h1 id="here">a</h1><a href="#here">a</a>${links}`, 'b.html': '<h2 id="there">b</h2>' };

test('a site whose links lead somewhere has no faults', () => {
  assert.deepEqual(faultsOf(put('whole', whole)), []);
});

test('the check sees a page, a heading and a picture that are missing, what comes from elsewhere, and an empty site', () => {
  const faults = faultsOf(
    put('broken', {
      ...whole,
      'c.html':
        '<a href="/none.html">1</a><a href="b.html#none">2</a><img alt="" src="/none.png">' +
        '<script src="https://example.org/count.js"></script><a href="https://example.org/">a click</a>',
      'style.css': '@font-face { src: url(https://example.org/font.woff2) }',
    }),
  );
  assert.deepEqual(faults, [
    'c.html links to /none.html, which is not there',
    'c.html links to /none.png, which is not there',
    'c.html links to b.html#none: that page has no such heading',
    'c.html loads https://example.org/count.js',
    'style.css loads https://example.org/font.woff2',
  ]);
  assert.match(faultsOf(put('empty', { 'index.html': '' })).join(), /received 0 links/);
  assert.match(faultsOf(put('whole', whole), '/below/').join(), /outside of \/below\//);
});
