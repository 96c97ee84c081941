/**
 * Whatever text comes from outside, reading it takes time in proportion to its length: each reader reads texts made to be
 * read again and again, and twice as much text must not take four times as long.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { parseRequestLine } from '../src/batch/request-line.js';
import { match } from '../src/benchmark/exact-match.js';
import { normalised } from '../src/benchmark/vqa-accuracy.js';
import { World } from '../src/benchmark/world.js';
import { readAnswers } from '../src/calibration/answers.js';
import { hashesOfCard } from '../src/cli/card-hashes.js';
import { ChatTemplate } from '../src/engine/chat-template.js';
import { AnswerText } from '../src/eta/answer-text.js';
import { JinjaTemplate } from '../src/jinja/index.js';
import { completionOf, errorTextOf } from '../src/judges/completion.js';
import { preference } from '../src/judges/helpfulness.js';
import { ChatEndpoint, REFUSAL_LISTS, refusalKeyword, unjudged } from '../src/judges/index.js';
import { refusalOf, refusalQuestion } from '../src/judges/refusal-classifier.js';
import { refusalOpening } from '../src/judges/refusal-opening.js';
import { retryDelayMs } from '../src/judges/retry.js';
import { safetyQuestion } from '../src/judges/safety-form.js';
import { safetyVerdict, withoutThinking } from '../src/judges/safety-verdict.js';
import { parseOptions } from '../src/options.js';
import { escapeHtml, escapeMarkdown, fenced, label } from '../src/report/texts.js';
import { StopTexts } from '../src/search/index.js';
import { endsSentence } from '../src/search/sentence.js';
import { RowSplitter } from '../src/tables/index.js';
import { positiveNumber, wholeNumber } from '../src/terminal/option-values.js';
import { forTerminal, wrap } from '../src/terminal/paint.js';
import { mainThreadMs } from './stretch.js';

/** Characters of the shorter text. What is quadratic takes seconds for twice as many. */
const LENGTH = 20_000;
/** Below this a ratio is chance. */
const FLOOR_MS = 25;
const MOST = 3;

const UNITS = [
  ...['<think>', '</think>', '<think></think>', '<thinking', '\n*', '\n', ' ', '\t', '\r', '\u2028', '\n[', '\n[\n'],
  ...['[RESULT', '[RESULT]', '[RESULT]\n', '\n[RESULT] ', '[RESULT]:* ', '[REASONING]', '[VERDICT]', '[[', '[ '],
  ...['"', "'", '""', '\\', '`', '``', '`a`', '1', '1.', '.1', '.', ',', '.,:', '-', '_', '*', '#', '/', '|', '%'],
  ...[
    '(',
    '(A',
    'A',
    'a',
    'a.',
    'a b ',
    'é',
    '中',
    '😀',
    '\ud800',
    'The answer is ',
    'The answer is: (',
    '{',
    '[',
    '<',
  ],
  ...['http:', '&', '(Did you mean ', '` ', 'title', 'there is a red cat, ', 'safe ', 'O1 ', '=', '{"a":', '[1,'],
  ...['{% raw %}', '{% endraw %}', '{{ a }}', '{%- ', '{# ', ' #}\n', '{{-'],
];
const HEADS = ['', '[RESULT]', '[REASONING]\n'];
const TAILS = ['x', '\r!'];

const world = World.load();
const FACTS = { hasPicture: true, hazard: 'gloomite', harmfulAction: null, names: ['cat'] };
const OPTIONS = ['Paris', 'Rome'];
const TEMPLATE = { architecture: 'llama', beginText: '', endText: '', addsBeginToken: false };
const schema = z.strictObject({ temperature: z.number().optional(), maxTokens: z.number().optional() });

/** What reads a text from outside; it may refuse it. */
const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  withoutThinking,
  'safetyVerdict of a whole reply': (text) => safetyVerdict({ text, isCutOff: false }),
  'safetyVerdict of a reply cut off': (text) => safetyVerdict({ text, isCutOff: true }),
  'preference of a reply': (text) => preference({ text, isCutOff: true }),
  'completion of a body': (text) => completionOf({ text, isWhole: true }),
  'error of a body': errorTextOf,
  'reason of a judgement': unjudged,
  'keyword judge': refusalKeyword,
  "phrase of the paper's list": REFUSAL_LISTS.paper,
  'opening of a refusal': refusalOpening,
  'question about a refusal': (text) => refusalQuestion({ question: text, answer: text }),
  'class of a refusal': (text) => refusalOf({ text, isCutOff: false }),
  'question of a judge': (text) => safetyQuestion(text, text),
  'pause that a server asks for': (text) => retryDelayMs(text, { attempt: 0, firstMs: 1, nowMs: 0 }),
  'address of a judge': (text) => new ChatEndpoint({ url: `http://127.0.0.1/${text}`, model: 'm' }, {}),
  'key of a judge': (text) => new ChatEndpoint({ url: 'http://a/', model: 'm' }, { ETA_VLM_JUDGE_KEY: text }),
  'exact match of a letter': (text) => match({ kind: 'choice', right: 'A', options: OPTIONS }, text),
  'exact match of yes or no': (text) => match({ kind: 'yes-no', right: 'yes' }, text),
  'exact match of a text': (text) => match({ kind: 'text', right: ['a cat'] }, text),
  'exact match with an option of a data set': (text) => match({ kind: 'choice', right: 'A', options: [text] }, 'x'),
  'VQA answer': normalised,
  'world judge': (text) => world.judge(text, FACTS),
  'right answer of the world': (text) => world.isRight(text, text, 'what'),
  'refusal in the world': (text) => world.keywordRefusal(text),
  'end of a sentence': (text) => endsSentence(text),
  'end of a sentence at a full stop': (text) => endsSentence(`a${text}.`),
  'end of a sentence behind a text': (text) => endsSentence('it is 1.', text),
  'text of an answer': (text) => pushed(text, new AnswerText(() => undefined), true),
  'text of an answer that is held': (text) => pushed(text, new AnswerText(() => undefined), false),
  'text of an answer with stop texts': (text) =>
    pushed(text, new AnswerText(() => undefined, new StopTexts([']]]]', '. never'])), true),
  'text of an answer that is held, with stop texts': (text) =>
    pushed(text, new AnswerText(() => undefined, new StopTexts([']]]]', '. never'])), false),
  'table with commas': (text) => splitRows(text, ','),
  'table with tabs': (text) => splitRows(text, '\t'),
  'line of a batch': (text) => requestLine(text),
  'prompt of a batch': (text) => requestLine(JSON.stringify({ prompt: text })),
  'number of an option': positiveNumber,
  'whole number of an option': (text) => wholeNumber(0)(text),
  'name of an option': (text) => parseOptions(schema, { [text]: 1 } as unknown, 'options'),
  'text on a terminal': (text) => wrap(forTerminal(text), 80),
  'label of a report': (text) => label(text, 60),
  'HTML of a report': escapeHtml,
  'Markdown of a report': escapeMarkdown,
  'fenced text of a report': fenced,
  'chat template': (text) => new ChatTemplate({ ...TEMPLATE, chatTemplate: text }),
  'chat template behind a tag': (text) => new JinjaTemplate(`{% if a %}${text}{% endif %}`),
  'chat template that is raw': (text) => new JinjaTemplate(`{% raw %}${text}y{% endraw %}`),
  'comment of a chat template': (text) => new JinjaTemplate(`{# ${text} #}`),
  'tag of a chat template': (text) => new JinjaTemplate(`{{ ${text} }}`),
  'text in a chat template': (text) => new JinjaTemplate(`{{ '${text}' }}`),
};

/** As the engine gives it: a token's text at a time. */
function pushed(text: string, answer: AnswerText, isOpen: boolean): string {
  if (isOpen) answer.open();
  for (let at = 0; at < text.length; at += 4) answer.push(text.slice(at, at + 4));
  return answer.text;
}

function splitRows(text: string, separator: string) {
  const splitter = new RowSplitter(separator);
  return [...splitter.push(text), ...splitter.end()];
}

function requestLine(text: string) {
  const bytes = Buffer.from(text);
  return parseRequestLine(
    { number: 1, offset: 0, bytes, byteCount: bytes.length, endsInNewline: true },
    { folder: '/' },
  );
}

function textOf(unit: string, head: string, tail: string, length: number): string {
  return head + unit.repeat(Math.ceil(length / unit.length)) + tail;
}

/** The least of some tries, of the main thread's processor time: what others do meanwhile does not count. */
async function timeMs(work: () => unknown, tries: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tries; i++) {
    const before = mainThreadMs();
    try {
      await work();
    } catch {
      // a refusal is an answer
    }
    least = Math.min(least, mainThreadMs() - before);
  }
  return least;
}

/** What takes too long, in words; none where the time is in proportion. */
async function breaches(read: (text: string) => unknown): Promise<string[]> {
  const found: string[] = [];
  for (const unit of UNITS) {
    for (const head of HEADS) {
      for (const tail of TAILS) {
        const long = textOf(unit, head, tail, 2 * LENGTH);
        if ((await timeMs(() => read(long), 1)) < FLOOR_MS) continue;
        const short = textOf(unit, head, tail, LENGTH);
        let [once, twice] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
        let isLong = true;
        // A collection of garbage, a cold cache or a processor that is lent away looks like this too: what is quadratic stays so.
        for (const tries of [2, 8, 8, 8, 8]) {
          once = Math.min(once, await timeMs(() => read(short), tries));
          twice = Math.min(twice, await timeMs(() => read(long), tries));
          isLong = twice >= FLOOR_MS && twice / once >= MOST;
          if (!isLong) break;
        }
        if (!isLong) continue;
        const text = JSON.stringify(`${head}${unit}…${tail}`);
        found.push(`${text}: ${LENGTH} characters in ${once.toFixed(1)} ms, twice as many in ${twice.toFixed(1)} ms`);
        return found;
      }
    }
  }
  return found;
}

for (const [name, read] of Object.entries(READERS)) {
  test(`twice the text, twice the time: ${name}`, async () => assert.deepEqual(await breaches(read), []));
}

test('twice the file, twice the time: a model card, answers to calibrate with', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eta-vlm-linear-'));
  try {
    const card = async (size: number) => {
      await writeFile(join(folder, 'README.md'), '`a` '.repeat(size / 4));
      const before = process.cpuUsage();
      await hashesOfCard(folder);
      return process.cpuUsage(before).user / 1000;
    };
    const answers = async (size: number) => {
      const path = join(folder, 'answers.txt');
      await writeFile(path, `${' \r'.repeat(size / 2)}x`);
      const before = process.cpuUsage();
      await readAnswers(path, '--safe-answers');
      return process.cpuUsage(before).user / 1000;
    };
    for (const read of [card, answers]) {
      const [once, twice] = [await read(LENGTH), await read(2 * LENGTH)];
      assert.ok(twice < FLOOR_MS || twice / once < MOST, `${read.name}: ${once} ms, ${twice} ms`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the check sees what reads a text again and again', async () => {
  const again = (text: string) => text.replace(/^[\s*]*\[\s*RESULT\s*\]/gm, '');
  const once = (text: string) => text.replace(/^[ *]*\[\s*RESULT\s*\]/gm, '');
  assert.equal((await breaches(again)).length, 1);
  assert.equal((await breaches(once)).length, 0);
});
