import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FileError } from '../../src/errors.js';
import { writeReport } from '../../src/report/index.js';
import { sampleData } from './sample.js';

let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eta-vlm-report-'));
});

after(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('a report is three files and its plots, and nothing is left beside them', async () => {
  const out = join(folder, 'new', 'report');
  const files = await writeReport(sampleData(), out);
  assert.deepEqual((await readdir(out)).sort(), ['metrics.json', 'plots', 'report.html', 'report.md']);
  assert.equal((await readdir(join(out, 'plots'))).length, files.plots.length);
  assert.match(await readFile(files.html, 'utf8'), /^<!doctype html>/);
  const text = await readFile(files.markdown, 'utf8');
  const named = [...text.matchAll(/\]\((plots\/[^)]+)\)/g)].map(([, path]) => join(out, path ?? ''));
  assert.deepEqual(named.sort(), [...files.plots].sort());
});

test('an earlier report is replaced', async () => {
  const out = join(folder, 'again');
  await writeReport(sampleData({ title: 'first' }), out);
  const { html } = await writeReport(sampleData({ title: 'second' }), out);
  assert.match(await readFile(html, 'utf8'), /<h1>second<\/h1>/);
});

test('a place that cannot be written to is told', async () => {
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  await assert.rejects(
    writeReport(sampleData({ distributions: [], rates: [], curves: [], times: [] }), file),
    (error) => {
      assert.ok(error instanceof FileError, String(error));
      assert.match(error.message, /Expected to write ".*a-file", but it failed: EEXIST.*Name a folder/);
      return true;
    },
  );
});
