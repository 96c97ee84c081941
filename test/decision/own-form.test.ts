/** A form of one's own: what it may say of itself, what is taken as what, and what is told of it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { wordingOf } from '../../src/decision/form.js';
import { decisionForms, looseForm, readForm } from '../../src/decision/index.js';
import type { Notice } from '../../src/types/notice.js';
import { goldenFile } from '../compatibility/golden.js';
import { loadTiny, QUESTION, tinyModels } from '../eta/tiny.js';
import { asked, formFile, tinyForm } from './guards.js';

const GUARD = goldenFile('qwen3-vl', 'model.gguf');
const conversation = asked({ prompt: { form: 'conversation', variables: {} } });
const template = (text: string) => tinyForm({ templateHolds: [text], answer: conversation });

test('a copy of a shipped form with another threshold does not pass for it', async () => {
  const shipped = fileURLToPath(new URL('../../models/decisions/qwen3guard.json', import.meta.url));
  const form = JSON.parse(readFileSync(shipped, 'utf8')) as Awaited<ReturnType<typeof readForm>>;
  const changed = { ...form, answer: { ...form.answer, threshold: -9 } };
  assert.equal(wordingOf(changed), form.wordingSha256, 'its wording is the shipped one');
  await assert.rejects(readForm(formFile(changed)), {
    code: 'ERR_MODEL_INVALID',
    message: /expected a name of its own, received qwen3guard, which is a shipped form's: .*Change name\.$/,
  });
  const own = formFile({ ...changed, name: 'mine' });
  assert.deepEqual([(await readForm(own)).path, (await readForm(own)).answer.threshold], [own, -9]);
  const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-shadow-'));
  writeFileSync(join(folder, 'qwen3guard'), JSON.stringify(changed));
  const before = process.cwd();
  process.chdir(folder);
  try {
    const named = await readForm('qwen3guard');
    assert.deepEqual([named.path, named.answer.threshold], [undefined, 0], 'a name means the shipped form');
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
});

test('an own form cannot say that its threshold was measured, nor take any guard whose template asks', async () => {
  const refused = (form: Parameters<typeof formFile>[0], message: RegExp) =>
    assert.rejects(readForm(formFile(form)), { code: 'ERR_MODEL_INVALID', message });
  await refused(
    tinyForm({ answer: asked({ isCalibrated: true }) }),
    /expected isCalibrated: false, received true: .* 'eta-vlm calibrate --decision'/,
  );
  const { picture } = tinyForm();
  await refused(tinyForm({ picture: picture && { ...picture, isCalibrated: true } }), /isCalibrated/);
  await refused(tinyForm({ answer: conversation }), /expected a text in templateHolds, received none/);
  assert.equal((await readForm(formFile(template('im_start')))).name, 'tiny');
});

test('a list of verdicts without end is refused at once', async () => {
  const many = (count: number) => Array.from({ length: count }, (_, at) => `v${at}`);
  const of = (unsafe: string[]) => formFile(tinyForm({ answer: asked({ verdicts: { safe: ['a'], unsafe } }) }));
  const refused = (path: string, message: RegExp) =>
    assert.rejects(readForm(path), { code: 'ERR_MODEL_INVALID', message });
  await refused(of(many(65)), /answer\.verdicts\.unsafe/);
  await refused(of(['x'.repeat(101)]), /answer\.verdicts\.unsafe/);
  await refused(of(many(200_000)), /expected a form of at most 262144 bytes, received \d+\. Shorten it\./);
  assert.equal((await readForm(of(many(64)))).answer.verdicts.unsafe.length, 64);
});

test('what it leaves open is said in a sentence; of the shipped forms nothing is to be said', async () => {
  const of = async (form: Parameters<typeof formFile>[0]) => looseForm(await readForm(formFile(form)));
  assert.match(
    (await of(tinyForm())) ?? '',
    /form tiny \(.*\.json\): nothing tells whether the guard is tiny .* a probability of 0 are taken for a decision/,
  );
  const sure = asked({ leastMass: 0.5, prompt: { form: 'conversation', variables: {} } });
  assert.equal(await of(tinyForm({ templateHolds: ['x'], answer: sure, picture: null })), null);
  assert.match(
    (await of(tinyForm({ templateHolds: ['x'], answer: { ...sure, leastMass: 0.4 }, picture: null }))) ?? '',
    /: verdicts that together have a probability of 0\.4 .*0\.5\)\.$/,
  );
  for (const name of await decisionForms()) assert.equal(looseForm(await readForm(name)), null, name);
});

test('its threshold counts as a number of its author’s, and what it leaves open is told on loading', async () => {
  const notices: Notice[] = [];
  const form = formFile(tinyForm());
  await using eta = await loadTiny({
    models: tinyModels,
    decision: { form, guard: GUARD },
    onNotice: (notice) => notices.push(notice),
  });
  assert.deepEqual(
    notices.map(({ code }) => code),
    ['ETA_DECISION_FORM'],
  );
  assert.equal(eta.facts.thresholdSources.safeDecision, form);
  assert.equal(eta.facts.calibratedOn.safeDecision, null);
  const { verdict } = await eta.respond({ ...QUESTION, thresholds: { unsafeClipScore: -1 }, method: 'shallow' });
  assert.deepEqual([verdict.answer?.isCalibrated, verdict.answer?.calibratedOn], [false, null]);
});

test('an own form that reads no answer, or judges all alike, or hides whose it is, is refused', async () => {
  const refused = (form: Parameters<typeof formFile>[0], message: RegExp) =>
    assert.rejects(readForm(formFile(form)), { code: 'ERR_MODEL_INVALID', message });
  const blind = asked({ prompt: { form: 'question', system: null, user: 'hello', seesPictures: false } });
  await refused(tinyForm({ answer: blind }), /received one without \{answer\}/);
  for (const threshold of [0, 1, 5, -1])
    await refused(tinyForm({ answer: asked({ score: 'probability', threshold }) }), /a threshold between 0 and 1/);
  for (const name of ['Shieldstral', 'shieldstral ', 'shield\u200bstral', 'QWEN3-Guard'])
    await refused({ ...tinyForm(), name }, /expected a name of its own/);
  await refused(template(' '), /a letter or a digit/);
  await refused(tinyForm({ answer: asked({ verdicts: { safe: [' '], unsafe: ['b'] } }) }), /a letter or a digit/);
});
