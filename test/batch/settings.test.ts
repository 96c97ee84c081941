import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  checkSame,
  differences,
  inWords,
  readSettings,
  settingsPath,
  settingsText,
} from '../../src/batch/settings-file.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-settings-'));
after(() => rmSync(folder, { recursive: true }));

describe('differences', () => {
  test('a setting called as what every object has is there or not, as any other', () => {
    assert.deepEqual(differences({ constructor: 1 }, {}), [{ name: 'constructor', before: 1, now: undefined }]);
  });

  test('each is named with both values, however deep', () => {
    const before = { seed: 1, policy: { method: 'eta', temperature: 1.5 }, models: { clip: 'abc' }, gone: true };
    const now = { seed: 2, policy: { method: 'eta', temperature: 1 }, models: { clip: null }, shard: '1/2' };
    assert.equal(
      inWords(differences(before, now)),
      'seed was 1, is 2; policy.temperature was 1.5, is 1; models.clip was "abc", is null; gone was true, is not set; shard was not set, is "1/2"',
    );
  });

  test('the same settings have none, in whatever order they stand', () => {
    assert.deepEqual(differences({ a: 1, b: { c: [1, 2], d: null } }, { b: { d: null, c: [1, 2] }, a: 1 }), []);
    assert.equal(differences({ a: [1, 2] }, { a: [2, 1] }).length, 1, 'arrays are told by their order');
    assert.doesNotThrow(() => checkSame({ a: 1 }, { a: 1 }, String));
    assert.throws(() => checkSame({ a: 1 }, { a: 2 }, (words) => `Differs: ${words}.`), {
      code: 'ERR_RESULTS_DIFFER',
      message: 'Differs: a was 1, is 2.',
    });
  });
});

describe('the file of settings', () => {
  const results = join(folder, 'a.jsonl');
  const path = settingsPath(results);
  test('is read as it was written', async () => {
    const settings = { seed: 1, policy: { refusalText: 'größe\n' }, projector: null };
    writeFileSync(path, settingsText(settings, { command: 'x' }));
    assert.deepEqual(await readSettings(results), settings);
  });
  test('stands beside the file that a link leads to', async () => {
    const link = join(folder, 'link.jsonl');
    writeFileSync(results, '');
    writeFileSync(path, settingsText({ seed: 3 }, {}));
    symlinkSync(results, link);
    assert.deepEqual(await readSettings(link), { seed: 3 });
  });
  test('may be missing, but not be something else', async () => {
    assert.equal(await readSettings(join(folder, 'none')), null);
    for (const text of ['', '{', '[]', '{}', '{"format":"eta-vlm/batch","formatVersion":4,"settings":{}}']) {
      writeFileSync(path, text);
      await assert.rejects(readSettings(results), { name: 'FileError', code: 'ERR_FILE_INVALID' }, text);
    }
    const folderBeside = settingsPath(join(folder, 'b.jsonl'));
    mkdirSync(folderBeside);
    await assert.rejects(readSettings(join(folder, 'b.jsonl')), { code: 'ERR_FILE_READ' });
  });
  test('of answers whose verdicts have another form is refused, and says so', async () => {
    writeFileSync(path, settingsText({ seed: 1 }, {}).replace('"formatVersion": 3', '"formatVersion": 2'));
    await assert.rejects(readSettings(results), {
      name: 'UsageError',
      code: 'ERR_RESULTS_DIFFER',
      message:
        /an earlier version of eta-vlm began: their verdicts have another form\. Begin another results file\. Or begin anew with overwrite: true\.$/,
    });
  });
});
