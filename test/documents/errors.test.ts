/** docs/errors.md against the code: every code has its row, under the class that carries it. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { read, root, rowsOf } from './pages.js';

const PAGE = read('docs/errors.md');

/** Code to class, as the headings of the page say: "## UsageError: the call". */
function documented(page: string): Map<string, string> {
  const classes = new Map<string, string>();
  for (const part of page.split(/^## /m).slice(1)) {
    const of = /^(\w+Error):/.exec(part)?.[1];
    if (of === undefined) continue;
    for (const { name, row } of rowsOf(part)) {
      assert.ok(!classes.has(name), `${name} stands twice`);
      assert.equal(row.split(' | ').length, 3, `${name}: code, meaning and what to do`);
      classes.set(name, of);
    }
  }
  return classes;
}

/** The codes of the type EtaErrorCode. */
function codes(): string[] {
  const [, union = ''] = /interface CodesOf \{([^}]+)\}/.exec(read('src/errors.ts')) ?? [];
  return [...union.matchAll(/'(ERR_\w+)'/g)].map(([, code = '']) => code);
}

/** Where the code makes an error: `new ModelError('ERR_MEMORY'`, and the addon's `means(ModelError, 'ERR_MEMORY')`. */
function made(): { readonly file: string; readonly of: string; readonly code: string }[] {
  return readdirSync(`${root}/src`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      [...read(`src/${file}`).matchAll(/(?:new |means\()(\w+Error)(?:\(|,)\s*'(ERR_\w+)'/g)].map(
        ([, of = '', code = '']) => ({ file, of, code }),
      ),
    );
}

test('every code has a row, and no row is left over', () => {
  assert.ok(codes().length > 30, `only ${codes().length} codes were found`);
  assert.deepEqual([...documented(PAGE).keys()].sort(), codes().sort());
});

test('each stands under the class that carries it', () => {
  const classes = documented(PAGE);
  const found = made();
  assert.ok(found.length > 100, `only ${found.length} places were found`);
  assert.deepEqual(
    found.filter(({ of, code }) => classes.get(code) !== of),
    [],
  );
});

test('every class of the page can be imported from the package', async () => {
  const name = 'eta-vlm'; // the package itself, built, as its users see it
  const exported = (await import(name)) as Readonly<Record<string, unknown>>;
  const classes = new Set([...documented(PAGE).values(), 'EtaError']);
  assert.ok(classes.size > 8, `only ${classes.size} classes were found`);
  const { EtaError } = exported;
  assert.ok(typeof EtaError === 'function', 'EtaError is exported');
  for (const of of classes) {
    const one = exported[of];
    assert.ok(typeof one === 'function', `${of} is exported`);
    assert.ok(one === EtaError || one.prototype instanceof EtaError, `${of} is an EtaError`);
  }
  assert.equal(typeof exported['isCut'], 'function', 'docs and code speak of isCut');
});
