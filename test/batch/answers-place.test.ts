/** Answers in another form take the place of earlier ones in that form, and of nothing else. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  ANSWERS_FORMATS,
  type AnswerLine,
  type AnswersFormat,
  answersPath,
  checkAnswersPlace,
  writeAnswers,
} from '../../src/batch/index.js';

const golden = fileURLToPath(new URL('../golden/tables/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-answers-place-'));
after(() => rmSync(folder, { recursive: true }));

const failed: AnswerLine = {
  id: null,
  line: 1,
  text: null,
  stopReason: null,
  verdict: null,
  error: { code: 'ERR_INVALID_LINE', message: 'no request' },
  method: null,
  seed: null,
  model: null,
  usage: null,
  digest: '0123456789abcdef',
  timings: null,
};
const answered: AnswerLine = {
  ...failed,
  id: 'say "a"\\',
  text: 'x'.repeat(100_000),
  error: null,
  stopReason: 'end',
  model: 'm',
  verdict: {
    action: 'answered',
    picture: null,
    answer: null,
    final: null,
  },
  usage: { promptTokenCount: 1, imageTokenCount: 0, answerTokenCount: 1, candidateCount: 0, undrawnCandidateCount: 0 },
};

let count = 0;
function results(...lines: AnswerLine[]): string {
  const path = join(folder, `answers-${++count}.jsonl`);
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}

test('what was written before is replaced, also where it begins with an error, or is long', async () => {
  for (const format of ANSWERS_FORMATS)
    for (const lines of [[failed], [answered], [answered, failed], Array.from({ length: 2000 }, () => failed)]) {
      const path = results(...lines);
      const out = await writeAnswers({ results: path, format });
      const whole = readFileSync(out);
      await assert.rejects(checkAnswersPlace(out, format, false), { code: 'ERR_RESULTS_EXIST', message: /overwrite/ });
      await checkAnswersPlace(out, format, true);
      await writeAnswers({ results: path, format });
      assert.ok(readFileSync(out).equals(whole), format);
    }
});

test('an empty file holds nothing to lose', async () => {
  for (const format of ANSWERS_FORMATS) {
    const path = results(failed);
    writeFileSync(answersPath(path, format), '');
    await checkAnswersPlace(answersPath(path, format), format, false);
    await writeAnswers({ results: path, format });
  }
});

const header = 'id,line,text,action,stopReason,errorCode,errorMessage,pictureEvaluator';
const theirs =
  '{"id":"batch_req_1","custom_id":"a","response":{"status_code":200,"request_id":"r1","body":{"id":"chatcmpl-9","object":"chat.completion"}},"error":null}\n';
const STRANGERS: readonly (readonly [AnswersFormat, string, string | Buffer])[] = [
  ['csv', 'notes', 'id,prompt\na,b\n'],
  ['csv', 'a part of our columns', `${header}\n`],
  ['csv', 'a picture', readFileSync(join(golden, 'typed.parquet'))],
  ['parquet', 'a table of another program', readFileSync(join(golden, 'typed.parquet'))],
  ['parquet', 'a text', 'eta-vlm\n'],
  ['openai', 'OpenAI’s own answers', theirs],
  ['openai', 'OpenAI’s own error', '{"id":"batch_req_1","custom_id":"a","response":null,"error":{"code":"x"}}\n'],
  ['openai', 'requests', '{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}\n'],
];
for (const [format, what, bytes] of STRANGERS)
  test(`${format}: ${what} is never replaced`, async () => {
    const path = results(failed);
    const out = answersPath(path, format);
    writeFileSync(out, bytes);
    for (const mayReplace of [true, false])
      await assert.rejects(checkAnswersPlace(out, format, mayReplace), {
        code: 'ERR_RESULTS_EXIST',
        message: /found something else, which stays\. Name the results otherwise, or take the file away\.$/,
      });
    await assert.rejects(writeAnswers({ results: path, format }), { code: 'ERR_RESULTS_EXIST' });
    assert.ok(readFileSync(out).equals(Buffer.from(bytes)));
  });

test('a form is no other form, and a folder is none', async () => {
  const path = results(failed);
  const csv = await writeAnswers({ results: path, format: 'csv' });
  copyFileSync(csv, answersPath(path, 'parquet'));
  await assert.rejects(writeAnswers({ results: path, format: 'parquet' }), { code: 'ERR_RESULTS_EXIST' });
  mkdirSync(answersPath(path, 'openai'));
  await assert.rejects(checkAnswersPlace(answersPath(path, 'openai'), 'openai', true), { code: 'ERR_RESULTS_EXIST' });
});

test('results that have the name of a form: the name that is proposed is taken', () => {
  for (const [name, format, proposed] of [
    ['w.openai.jsonl', 'openai', 'w.jsonl'],
    ['a.b.OpenAI.jsonl', 'openai', 'a.b.jsonl'],
    ['w.csv', 'csv', 'w.jsonl'],
  ] as const) {
    assert.throws(() => answersPath(name, format), {
      code: 'ERR_INVALID_OPTION',
      message: new RegExp(`received "${name}"\\. Name them "${proposed}"; "${answersPath(proposed, format)}" is`),
    });
  }
});
