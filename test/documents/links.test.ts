/** Links between pages lead somewhere, down to the heading. */
import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import { anchorsOf, exists, linksOf, pages, read } from './pages.js';

/** What is wrong with a link of a page; null where it leads somewhere. */
function broken(page: string, target: string): string | null {
  if (/^[a-z]+:/.test(target)) return null;
  const [file = '', anchor] = target.split('#');
  const place = file === '' ? page : posix.join(posix.dirname(page), decodeURI(file));
  if (place.startsWith('..') || !exists(place)) return `${page} links to ${target}, which is not there`;
  if (anchor === undefined) return null;
  const anchors = anchorsOf(read(place));
  return anchors.includes(anchor) ? null : `${page} links to ${target}; that page has ${anchors.join(', ')}`;
}

test('every link into the repository leads to a file and a heading of it', () => {
  const links = pages().flatMap((page) => linksOf(read(page)).map((target) => ({ page, target })));
  assert.ok(links.length > 100, `only ${links.length} links were found`);
  assert.deepEqual(
    links.map(({ page, target }) => broken(page, target)).filter((fault) => fault !== null),
    [],
  );
});

test('the check sees what leads nowhere', () => {
  for (const target of ['docs/none.md', 'docs/cli.md#none', '#none', '../other/README.md', 'docs/images/none.svg'])
    assert.notEqual(broken('README.md', target), null, target);
  assert.equal(broken('docs/README.md', 'cli.md#streams-colour-signals'), null);
  assert.deepEqual(anchorsOf('# `a`: B, c\n```\n# d\n```\n## B, c – d\n## B, c – d'), ['a-b-c', 'b-c--d', 'b-c--d-1']);
  assert.deepEqual(linksOf('[a](b.md) `[c](d.md)`\n```\n[e](f.md)\n```\n<img src="g.png" width="1">'), [
    'b.md',
    'g.png',
  ]);
});

test('every page of docs/ is in its index', () => {
  const listed = linksOf(read('docs/README.md'));
  const missing = pages('docs').filter((page) => page !== 'docs/README.md' && !listed.includes(posix.basename(page)));
  assert.deepEqual(missing, []);
});
