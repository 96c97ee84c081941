import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FileError } from '../../src/errors.js';
import { checkReportPlace, writeReport } from '../../src/report/index.js';
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

test('what is no report is not replaced, and nothing of the report is written', async () => {
  const strangers = [
    ['metrics.json', '{"accuracy": 0.9}'],
    ['metrics.json', '{\n "title": "mine"\n}\n'],
    ['report.html', '<!doctype html><title>mine</title>'],
    ['report.md', '# Mine\n\n## How it was measured\n\nBy hand.\n'],
    ['plots/mine.svg', '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>'],
    ['report.html', '\xff\xd8\xff\xe0 a picture'],
  ] as const;
  for (const [index, [name, text]] of strangers.entries()) {
    const out = join(folder, `stranger-${index}`);
    await mkdir(join(out, 'plots'), { recursive: true });
    await writeFile(join(out, name), text);
    await assert.rejects(writeReport(sampleData(), out), {
      code: 'ERR_RESULTS_EXIST',
      message: /found something else, which stays\. Name another folder, or take the file away\.$/,
    });
    assert.equal(await readFile(join(out, name), 'utf8'), text);
    assert.deepEqual((await readdir(out, { recursive: true })).sort(), [...new Set(['plots', name])].sort());
    await rm(join(out, name));
    await writeReport(sampleData(), out);
    await checkReportPlace(out);
  }
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
