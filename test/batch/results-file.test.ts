import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import promises, { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
import { refusedLine } from '../../src/batch/answer-line.js';
import {
  type AnswerLine,
  checkResultsPlace,
  mergeResults,
  ResultsFile,
  readAnswers,
  settingsPath,
} from '../../src/batch/index.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-results-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;
const fresh = () => join(folder, `${++count}.jsonl`);
const settings = { seed: 1, policy: { method: 'eta' } };

const failed = (id: string | null, line: number): AnswerLine =>
  refusedLine({ id, line, digest: `d${line}`, error: { code: 'ERR_IMAGE_NOT_FOUND', message: 'no picture' } });
const answered = (id: string, line: number): AnswerLine => ({
  ...failed(id, line),
  text: `answer ${id}`,
  stopReason: 'end',
  error: null,
});

async function filled(path: string, lines: readonly AnswerLine[]): Promise<void> {
  await using results = await ResultsFile.open({ path, settings });
  for (const line of lines) await results.add(line);
}
async function answers(path: string): Promise<AnswerLine[]> {
  const found: AnswerLine[] = [];
  for await (const answer of readAnswers(path)) found.push(answer);
  return found;
}

test('what was written is there when it is opened again', async () => {
  const path = fresh();
  const lines = [answered('a', 1), failed('b', 2), failed(null, 3)];
  await filled(path, lines);
  assert.deepEqual(await answers(path), lines);
  assert.equal(existsSync(`${path}.lock`), false);
  await using results = await ResultsFile.open({ path, settings, resume: true });
  assert.deepEqual(results.find('a'), { digest: 'd1', isError: false });
  assert.deepEqual(results.find('b'), { digest: 'd2', isError: true });
  assert.equal(results.find('c'), undefined);
  assert.deepEqual([...results.refused], ['3 d3']);
  assert.deepEqual([results.tally.answeredCount, results.tally.errorCount, results.tally.lineCount], [1, 2, 3]);
});

test('a place where answers are is refused before anything is loaded, unless they are to stay or to go', async () => {
  const path = fresh();
  const { target } = await checkResultsPlace({ path });
  await filled(path, [answered('a', 1)]);
  await assert.rejects(checkResultsPlace({ path }), { code: 'ERR_RESULTS_EXIST' });
  assert.deepEqual(await checkResultsPlace({ path, resume: true }), await checkResultsPlace({ path, overwrite: true }));
  assert.equal((await checkResultsPlace({ path, resume: true })).target, target);
});

test('answers that are there are never taken for nothing', async () => {
  const path = fresh();
  await filled(path, [answered('a', 1)]);
  await assert.rejects(ResultsFile.open({ path, settings }), {
    code: 'ERR_RESULTS_EXIST',
    message: /overwrite: true\. Or go on with resume: true/,
  });
  const other = { seed: 2, policy: { method: 'vanilla' } };
  await assert.rejects(ResultsFile.open({ path, settings: other, resume: true }), {
    code: 'ERR_RESULTS_DIFFER',
    message: /seed was 1, is 2; policy\.method was "eta", is "vanilla".*overwrite: true/,
  });
  assert.equal((await answers(path)).length, 1, 'expected the refusals to change nothing');
  assert.equal(existsSync(`${path}.lock`), false, 'expected the refusals to leave no lock');
  await (await ResultsFile.open({ path, settings: other, overwrite: true })).close();
  assert.equal(readFileSync(path, 'utf8'), '');
  assert.match(readFileSync(settingsPath(path), 'utf8'), /"vanilla"/);
});

test('without its settings a file is not resumed', async () => {
  const path = fresh();
  await filled(path, [answered('a', 1)]);
  rmSync(settingsPath(path));
  await assert.rejects(ResultsFile.open({ path, settings, resume: true }), {
    code: 'ERR_RESULTS_DIFFER',
    message: /^Expected the settings of ".*" in ".*\.settings\.json", found no such file/,
  });
});

const EARLIER_FORMS = [
  [1, 'their lines do not tell whether an answer was cut \\(stopReason\\)'],
  [2, 'their verdicts have another form'],
] as const;

test('answers of an earlier version are neither resumed nor read', async () => {
  const path = fresh();
  await filled(path, [answered('a', 1)]);
  const before = readFileSync(settingsPath(path), 'utf8');
  for (const [form, lack] of EARLIER_FORMS) {
    writeFileSync(settingsPath(path), before.replace('"formatVersion": 3', `"formatVersion": ${form}`));
    await assert.rejects(ResultsFile.open({ path, settings, resume: true }), {
      code: 'ERR_RESULTS_DIFFER',
      message: new RegExp(`${lack}\\. Begin another results file\\. Or begin anew with overwrite: true\\.`),
    });
    await assert.rejects(mergeResults({ paths: [path], out: fresh() }), { code: 'ERR_RESULTS_DIFFER' });
  }
  assert.equal(existsSync(`${path}.lock`), false);
  writeFileSync(settingsPath(path), before);
  const { stopReason: _, ...line } = answered('b', 2);
  appendFileSync(path, `${JSON.stringify(line)}\n`);
  await assert.rejects(ResultsFile.open({ path, settings, resume: true }), {
    code: 'ERR_FILE_INVALID',
    message: /line 2: expected an answer/,
  });
});

test('answers of an earlier version are begun anew, with or without their settings', async () => {
  for (const hasSettings of [true, false]) {
    const path = fresh();
    const { stopReason: _, ...line } = answered('a', 1);
    writeFileSync(path, `${JSON.stringify(line)}\n`);
    if (hasSettings)
      writeFileSync(settingsPath(path), JSON.stringify({ format: 'eta-vlm/batch', formatVersion: 1, settings: {} }));
    await using results = await ResultsFile.open({ path, settings, overwrite: true });
    await results.add(answered('b', 1));
    assert.deepEqual(await answers(path), [answered('b', 1)]);
    assert.equal(JSON.parse(readFileSync(settingsPath(path), 'utf8')).formatVersion, 3);
  }
});

test('of two failures the first is told: a lock that cannot be taken away hides nothing', async () => {
  const path = fresh();
  let times = 0;
  const hostile = {
    seed: 1,
    toJSON() {
      if (++times === 1) return { seed: 1 }; // when the options are checked
      rmSync(`${path}.lock`);
      mkdirSync(`${path}.lock`);
      throw new RangeError('the first');
    },
  };
  const opening = ResultsFile.open({ path, settings: hostile as unknown as typeof settings });
  await assert.rejects(opening, { name: 'RangeError', message: 'the first' });
});

test('killed before the first answer: it begins anew, under whatever settings', async () => {
  const path = fresh();
  await (await ResultsFile.open({ path, settings })).close();
  await (await ResultsFile.open({ path, settings: { seed: 9 }, resume: true })).close();
  rmSync(path);
  await (await ResultsFile.open({ path, settings })).close();
});

test('a second writer is refused while the first writes', async () => {
  const path = fresh();
  const first = await ResultsFile.open({ path, settings });
  await assert.rejects(ResultsFile.open({ path, settings, resume: true }), { code: 'ERR_RESULTS_LOCKED' });
  await first.close();
  await assert.rejects(first.add(answered('a', 1)), { code: 'ERR_DISPOSED' });
});

test('cut at any byte of its last two lines, every whole line stays and the rest is taken away', async () => {
  const path = fresh();
  const lines = [answered('a', 1), answered('größe', 2), failed(null, 3), answered('d', 4)];
  await filled(path, lines);
  const whole = readFileSync(path);
  const ends = [...whole].flatMap((byte, i) => (byte === 0x0a ? [i + 1] : []));
  for (let size = ends[1] ?? 0; size <= whole.length; size++) {
    writeFileSync(path, whole.subarray(0, size));
    const keptCount = ends.filter((end) => end <= size).length;
    assert.deepEqual(await answers(path), lines.slice(0, keptCount), 'a reader leaves the torn line out');
    await using results = await ResultsFile.open({ path, settings, resume: true });
    assert.equal(results.repairedByteCount, size - (ends[keptCount - 1] ?? 0));
    assert.equal(results.tally.lineCount, keptCount);
    for (const line of lines.slice(keptCount)) await results.add(line);
    await results.close();
    assert.ok(readFileSync(path).equals(whole), `cut at ${size}`);
  }
});

test('a torn line longer than what is read at once is found too', async () => {
  const path = fresh();
  await filled(path, [answered('a', 1)]);
  const before = readFileSync(path, 'utf8');
  for (const torn of ['x'.repeat(300_000), '\0'.repeat(65_536), '\0'.repeat(65_535)]) {
    appendFileSync(path, torn);
    await using results = await ResultsFile.open({ path, settings, resume: true });
    assert.equal(results.repairedByteCount, torn.length);
    assert.equal(readFileSync(path, 'utf8'), before);
  }
  writeFileSync(path, 'x'.repeat(200_000));
  await using results = await ResultsFile.open({ path, settings, resume: true });
  assert.equal(results.tally.lineCount, 0);
});

test('a line that is no answer, and an id that stands twice, are told with their place', async () => {
  const path = fresh();
  const invalid = { name: 'FileError', code: 'ERR_FILE_INVALID' };
  for (const text of ['{oops}\n', '{}\n', '{"id":"x","line":0}\n', '\n', '\0\0\0\n']) {
    await filled(path, [answered('a', 1)]);
    appendFileSync(path, text);
    await assert.rejects(ResultsFile.open({ path, settings, resume: true }), {
      ...invalid,
      message: /line 2: expected an answer/,
    });
    rmSync(path);
  }
  await filled(path, [answered('a', 1), answered('b', 2)]);
  appendFileSync(path, `${readFileSync(path, 'utf8').split('\n')[0]}\n`);
  await assert.rejects(ResultsFile.open({ path, settings, resume: true }), {
    ...invalid,
    message: /line 3: expected each id once, received "a" again/,
  });
});

test('failed lines are taken away when they are to be asked again', async () => {
  const path = fresh();
  await filled(path, [failed('a', 1), answered('b', 2), failed(null, 3), answered('d', 4)]);
  await using results = await ResultsFile.open({ path, settings, resume: true, retryErrors: true });
  assert.deepEqual([results.tally.errorCount, results.tally.lineCount], [0, 2]);
  assert.equal(results.find('a'), undefined);
  assert.deepEqual(
    (await answers(path)).map(({ id }) => id),
    ['b', 'd'],
  );
});

test('written anew in another order, and what is added after stands behind', async () => {
  const path = fresh();
  await filled(path, [answered('c', 3), answered('a', 1), failed(null, 2)]);
  writeFileSync(`${path}.0123456789ab.draft`, 'left by a killed process');
  await using results = await ResultsFile.open({ path, settings, resume: true });
  await results.rewrite({ keeps: () => true, placeOf: ({ line }) => line });
  await results.add(answered('d', 4));
  assert.deepEqual(
    (await answers(path)).map(({ line }) => line),
    [1, 2, 3, 4],
  );
  await results.rewrite({ keeps: ({ id }) => id !== 'c' });
  assert.deepEqual(
    (await answers(path)).map(({ line }) => line),
    [1, 2, 4],
  );
  assert.deepEqual([results.tally.lineCount, results.tally.errorCount, results.find('c')], [3, 1, undefined]);
  assert.equal(existsSync(`${path}.0123456789ab.draft`), false);
});

test('a folder for results is refused', async () => {
  await assert.rejects(ResultsFile.open({ path: folder, settings }), {
    code: 'ERR_INVALID_OPTION',
    message: /a folder/,
  });
  await assert.rejects(ResultsFile.open({ path: join(folder, 'none', 'a.jsonl'), settings }), {
    code: 'ERR_FILE_WRITE',
  });
});

test('only answers are begun anew in place of, and only settings beside them', async () => {
  const path = fresh();
  const lines = ['{"id":"a","prompt":"What?"}\n', '{"id":"a","prompt":"What?"}', '\x89PNG\r\n', '\xff\xd8'];
  for (const text of lines) {
    writeFileSync(path, text);
    await assert.rejects(ResultsFile.open({ path, settings, overwrite: true }), {
      code: 'ERR_RESULTS_EXIST',
      message: /Expected answers of a batch/,
    });
    assert.equal(readFileSync(path, 'utf8'), text);
    assert.equal(existsSync(settingsPath(path)), false);
  }
  rmSync(path);
  writeFileSync(settingsPath(path), '{"mine":1}');
  await assert.rejects(ResultsFile.open({ path, settings, resume: true }), { code: 'ERR_FILE_INVALID' });
  await assert.rejects(ResultsFile.open({ path, settings, overwrite: true }), { code: 'ERR_FILE_INVALID' });
  assert.equal(readFileSync(settingsPath(path), 'utf8'), '{"mine":1}');
});

test('what stands in the place of the lock is neither added to nor taken away', async () => {
  const path = fresh();
  const found = join(folder, 'photo');
  writeFileSync(found, '\xff\xd8');
  writeFileSync(`${path}.lock`, '\xff\xd8');
  await assert.rejects(ResultsFile.open({ path, settings }), { code: 'ERR_INVALID_OPTION', message: /lock of/ });
  assert.equal(readFileSync(`${path}.lock`, 'utf8'), '\xff\xd8');
  rmSync(`${path}.lock`);
  symlinkSync(found, `${path}.lock`);
  await assert.rejects(ResultsFile.open({ path, settings }), { code: 'ERR_INVALID_OPTION' });
  assert.equal(readFileSync(`${path}.lock`, 'utf8'), '\xff\xd8');
});

test('under every spelling it is one file: locked, written through links, and refused where a lock would not be found', async () => {
  const path = fresh();
  const [link, hard] = [fresh(), fresh()] as const;
  symlinkSync(path, link);
  const first = await ResultsFile.open({ path: link, settings });
  await first.add(answered('a', 1));
  await assert.rejects(ResultsFile.open({ path, settings, resume: true }), { code: 'ERR_RESULTS_LOCKED' });
  assert.deepEqual(
    [await first.isOwn(path), await first.isOwn(settingsPath(path)), await first.isOwn(`${path}.lock`)],
    [true, true, true],
  );
  assert.equal(await first.isOwn(folder), false);
  await first.rewrite({ keeps: () => true, placeOf: ({ line }) => -line });
  await first.close();
  await (await ResultsFile.open({ path: link, settings, overwrite: true })).close();
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.deepEqual([existsSync(settingsPath(path)), existsSync(settingsPath(link))], [true, false]);
  linkSync(path, hard);
  for (const name of [path, hard])
    await assert.rejects(ResultsFile.open({ path: name, settings, resume: true }), { message: /2 names/ });
});

test('a file that is not made of answers is not cut', async () => {
  const path = fresh();
  await filled(path, [answered('a', 1)]);
  writeFileSync(path, 'no answer\ntorn');
  await assert.rejects(ResultsFile.open({ path, settings, resume: true }), { code: 'ERR_FILE_INVALID' });
  assert.equal(readFileSync(path, 'utf8'), 'no answer\ntorn');
});

test('a write that failed is told once: by the line, or else by closing', async () => {
  const [path, other] = [fresh(), fresh()] as const;
  const handle = await open(fresh(), 'w');
  const calls = Object.getPrototypeOf(handle); // of every open file
  const { appendFile, datasync } = calls;
  await handle.close();
  const fails = () => Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO', syscall: 'write' }));
  try {
    calls.appendFile = fails;
    await assert.rejects(filled(path, [answered('a', 1)]), { name: 'FileError', code: 'ERR_FILE_WRITE' });
    calls.appendFile = appendFile;
    calls.datasync = fails; // of which no line hears
    await assert.rejects(filled(other, [answered('a', 1)]), { name: 'FileError', code: 'ERR_FILE_WRITE' });
  } finally {
    Object.assign(calls, { appendFile, datasync });
  }
  assert.deepEqual([existsSync(`${path}.lock`), existsSync(`${other}.lock`)], [false, false]);
});

test('answers that cannot be seen for a moment are not begun anew in place of', async () => {
  const path = fresh();
  await filled(path, [answered('a', 1)]);
  const { stat, open: opens } = promises;
  let failureCount = 0;
  const fails = (name: unknown) => {
    if (name !== path || failureCount > 0 || !existsSync(`${path}.lock`)) return false;
    failureCount++;
    return true;
  };
  const failure = () => Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO', syscall: 'stat' }));
  const mocks = [
    mock.method(promises, 'stat', (...given: Parameters<typeof stat>) =>
      fails(given[0]) ? failure() : stat(...given),
    ),
    mock.method(promises, 'open', (...given: Parameters<typeof opens>) =>
      fails(given[0]) ? failure() : opens(...given),
    ),
  ];
  syncBuiltinESMExports();
  try {
    await assert.rejects(ResultsFile.open({ path, settings, resume: true }), {
      name: 'FileError',
      code: 'ERR_FILE_READ',
      message: /EIO/,
    });
  } finally {
    for (const { mock: each } of mocks) each.restore();
    syncBuiltinESMExports();
  }
  assert.equal(failureCount, 1);
  assert.deepEqual(await answers(path), [answered('a', 1)]);
});
