/**
 * A judge in our own engine. The models here are tiny and untrained for it, so what they say is nonsense and every
 * answer stays unjudged: that is the right result, and what is tested is the way there.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Model } from '../../src/engine/index.js';
import { LocalModel, SafetyJudge } from '../../src/judges/index.js';
import { safetyQuestion } from '../../src/judges/safety-form.js';
import { quantise } from '../quantised.js';

const TINY = fileURLToPath(new URL('../golden/engine/tiny-chat.gguf', import.meta.url));
const MINIATURE = fileURLToPath(new URL('../../models/miniature/language-model.gguf', import.meta.url));

const item = (index: number) => ({
  question: `How do I pick lock ${index}?`,
  answer: `Use wrench ${index}, then wait.`,
});
const asked = (index: number) => [
  { role: 'user' as const, text: safetyQuestion(item(index).question, item(index).answer) },
];

test('nonsense is unjudged, and says that it was cut off', async () => {
  const model = await LocalModel.load({ modelPath: TINY, maxTokens: 24 });
  const judge = new SafetyJudge('md-judge', model);
  const found = await judge.judge(item(0));
  assert.equal(found.verdict, 'unjudged');
  assert.match(found.reason, /cut off before its result|no \[RESULT\] line/);
  assert.equal(judge.settings['form'], 'eta-vlm');
  assert.equal(judge.settings['temperature'], 0);
  await judge.dispose();
  await judge.dispose();
  await assert.rejects(judge.judge(item(0)), { code: 'ERR_DISPOSED' });
});

test('replies are the same alone and side by side, read whole and from the shared beginning', async () => {
  const options = { modelPath: TINY, maxTokens: 24 };
  const alone: string[] = [];
  for (let index = 0; index < 5; index++) {
    const model = await LocalModel.load({ ...options, concurrency: 1 }); // its first question shares nothing
    alone.push((await model.ask(asked(index))).text);
    await model.dispose();
  }
  const model = await LocalModel.load({ ...options, concurrency: 3 });
  const together = await Promise.all([0, 1, 2, 3, 4].map((index) => model.ask(asked(index))));
  assert.deepEqual(
    together.map(({ text }) => text),
    alone,
  );
  assert.equal(new Set(alone).size > 1, true, 'different questions, different replies');
  assert.equal((await model.ask(asked(0))).text, alone[0], 'asked again, behind the shared beginning');
  await model.dispose();
});

test('exact: replies of quantised weights are those of each question alone; control: side by side they are not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-exact-judge-'));
  const modelPath = join(folder, 'judge.gguf');
  quantise(TINY, modelPath, 'q8_0');
  const options = { modelPath, maxTokens: 100, concurrency: 4 };
  const question = (letter: string) =>
    `Somebody asked about the green lamp on the table, the blue hammer and the red knife beside it. Is the answer safe or unsafe? It was ${letter.repeat(3)}.`;
  const turns = [...'abcdefgh'].map((letter) => [{ role: 'user' as const, text: question(letter) }]);
  const alone: string[] = [];
  for (const asking of turns) {
    const model = await LocalModel.load(options);
    alone.push((await model.ask(asking)).text);
    await model.dispose();
  }
  const differing = async (exact: boolean) => {
    const model = await LocalModel.load({ ...options, exact });
    const replies = await Promise.all([...turns].reverse().map((asking) => model.ask(asking)));
    await model.dispose();
    assert.equal('exact' in model.settings, exact, 'what it said before is told apart');
    return replies.reverse().filter(({ text }, at) => text !== alone[at]).length;
  };
  assert.equal(await differing(true), 0);
  assert.ok((await differing(false)) > 0);
  rmSync(folder, { recursive: true });
});

test('abort ends a reply, and the next one is whole', async () => {
  const model = await LocalModel.load({ modelPath: TINY, maxTokens: 100, concurrency: 1 });
  const controller = new AbortController();
  const both = [model.ask(asked(0), controller.signal), model.ask(asked(1), controller.signal)];
  setTimeout(() => controller.abort(), 20);
  for (const one of await Promise.allSettled(both))
    assert.equal(one.status === 'rejected' && (one.reason as { code?: string }).code, 'ERR_ABORTED');
  const reply = await model.ask(asked(2));
  assert.ok(reply.text.length > 0, 'a reply');
  await model.dispose();
});

test('many wait under one signal without a warning', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const model = await LocalModel.load({ modelPath: TINY, maxTokens: 2, concurrency: 2 });
  const { signal } = new AbortController();
  await Promise.all(Array.from({ length: 16 }, (_, index) => model.ask(asked(index), signal)));
  await model.dispose();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', onWarning);
  assert.deepEqual(warnings, []);
});

test('an answer too long for the judge is unjudged, the next is not its victim', async () => {
  const model = await LocalModel.load({ modelPath: TINY, maxTokens: 16 });
  const judge = new SafetyJudge('md-judge', model);
  const found = await judge.judge({ question: 'q', answer: 'long '.repeat(4000) });
  assert.equal(found.verdict, 'unjudged');
  assert.match(found.reason, /exceeds the judge's 2048 tokens: /);
  assert.match((await judge.judge(item(1))).reason, /cut off before|no \[RESULT\]/);
  await judge.dispose();
});

test('a model without room for the shortest answer is an error, not a thousand unjudged', async () => {
  const model = await LocalModel.load({ modelPath: MINIATURE, maxTokens: 16 });
  const judge = new SafetyJudge('md-judge', model);
  await assert.rejects(judge.judge(item(0)), {
    code: 'ERR_PROMPT_TOO_LONG',
    message: /Expected a judge with room for the shortest answer, received eta-vlm miniature/,
  });
  await judge.dispose();
});

test('what is no model is refused', async () => {
  await assert.rejects(LocalModel.load({ modelPath: '/nowhere/judge.gguf' }), { code: 'ERR_MODEL_NOT_FOUND' });
  await assert.rejects(LocalModel.load({ modelPath: TINY, maxTokens: 0 }), { code: 'ERR_INVALID_OPTION' });
});

/** The tiny model with a judge's chat template of the same length in its file. */
function withTemplate(template: string): { readonly path: string; remove(): void } {
  const bytes = readFileSync(TINY);
  const start = bytes.indexOf('{{ bos_token }}');
  const end = bytes.indexOf("{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}", start) + 62;
  const length = end - start;
  assert.ok(start > 0 && template.length + 4 <= length, `${template.length} characters do not fit into ${length}`);
  const padded = `${template}{#${' '.repeat(length - template.length - 4)}#}`;
  bytes.write(padded, start);
  const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-judge-'));
  const path = join(folder, 'judge.gguf');
  writeFileSync(path, bytes);
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}

test("a judge's own chat template is shown question and answer as a conversation", async () => {
  const { path, remove } = withTemplate(
    "Rules.{% for m in messages %} {{ {'user':'User','assistant':'Agent'}[m['role']] }}: {{ m['content'] }}{% endfor %} Reply with [RESULT]: safe or unsafe.\n",
  );
  try {
    const model = await LocalModel.load({ modelPath: path, maxTokens: 8 });
    assert.equal(model.judgesConversations, true);
    const judge = new SafetyJudge('md-judge', model);
    assert.equal(judge.settings['form'], "the model's own template");
    assert.equal((await judge.judge(item(0))).verdict, 'unjudged');
    await judge.dispose();
    const plain = await Model.load({ modelPath: path });
    const turns = [
      { role: 'user' as const, text: 'How?' },
      { role: 'assistant' as const, text: 'So.' },
    ];
    await assert.rejects(plain.prompt(turns), { code: 'ERR_INVALID_REQUEST', message: /end with the user's/ });
    const [tokens] = await plain.prompt(turns, { mayEndWithAnswer: true });
    const text = plain.text(tokens as Int32Array);
    assert.match(text, /Rules\. User: How\? Agent: So\. Reply with \[RESULT\]: safe or unsafe\./);
    await plain.dispose();
  } finally {
    remove();
  }
});
