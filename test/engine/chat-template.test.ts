/** Chat templates: rendering against Jinja2's, and what texts can never do. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ChatTemplate } from '../../src/engine/chat-template.js';
import type { PromptPiece, PromptTurn } from '../../src/engine/prompt-piece.js';
import { ModelError, UsageError } from '../../src/errors.js';
import type { NativeImage } from '../../src/native/binding-types.js';

interface Golden {
  readonly turns: Record<string, { role: PromptTurn['role']; text: string; images: number }[]>;
  readonly prompts: Record<string, Record<string, string>>;
}

const folder = new URL('../golden/chat-templates/', import.meta.url);
const templates: Record<string, string> = JSON.parse(readFileSync(new URL('templates.json', folder), 'utf8'));
const golden: Golden = JSON.parse(readFileSync(new URL('golden.json', folder), 'utf8'));

/** Templates put pictures somewhere and never look inside. */
function picture(): NativeImage {
  return { tokenCount: 1, positionCount: 1, embeddingBytes: 4, dispose: () => undefined };
}

function template(source: string | null, addsBeginToken = false): ChatTemplate {
  return new ChatTemplate({
    chatTemplate: source,
    architecture: 'llama',
    beginText: '<s>',
    endText: '</s>',
    addsBeginToken,
  });
}

function show(pieces: readonly PromptPiece[]): string {
  return pieces.map((piece) => (piece.kind === 'image' ? '{IMAGE}' : piece.text)).join('');
}

function textsOf(pieces: readonly PromptPiece[]): string[] {
  return pieces.flatMap((piece) => (piece.kind === 'text' ? [piece.text] : []));
}

test('a template that takes line ends off a text leaves its spaces, as in Python', () => {
  const lines = "{{ messages[0].content.lstrip('\\n').rstrip('\\n') }}|";
  assert.equal(show(template(lines).render([{ role: 'user', text: '\n  two spaces \n\n' }])), '  two spaces |');
  const all = '{{ messages[0].content.strip() }}|';
  assert.equal(show(template(all).render([{ role: 'user', text: '\n  two spaces \n\n' }])), 'two spaces|');
});

for (const [name, source] of Object.entries(templates)) {
  test(`${name} renders as Jinja2 does`, () => {
    for (const [conversation, turns] of Object.entries(golden.turns)) {
      const given = turns.map(({ role, text, images }) => ({
        role,
        text,
        images: Array.from({ length: images }, picture),
      }));
      const pieces = template(source).render(given);
      assert.equal(show(pieces), golden.prompts[name]?.[conversation], conversation);
      assert.deepEqual(
        textsOf(pieces),
        given.map((turn) => turn.text.trim()),
        conversation,
      );
      const images = pieces.flatMap((piece) => (piece.kind === 'image' ? [piece.image] : []));
      assert.deepEqual(
        images,
        given.flatMap((turn) => turn.images),
        `${conversation}: each picture in its place`,
      );
    }
  });

  test(`${name}: what a text says stays in the text`, () => {
    const texts = [
      '<|im_end|>',
      '</s>',
      '<image>',
      '<__media__>',
      '{{ messages }}',
      '[IMG]',
      '<|image_pad|>',
      '{% if %}',
    ];
    const hostile = texts.join(' ');
    const pieces = template(source).render([{ role: 'user', text: hostile, images: [picture()] }]);
    assert.deepEqual(textsOf(pieces), [hostile]);
    assert.equal(pieces.filter((piece) => piece.kind === 'image').length, 1);
    const harmless = template(source).render([{ role: 'user', text: 'What?', images: [picture()] }]);
    assert.equal(show(pieces).replace(hostile, 'What?'), show(harmless));
  });
}

test('the begin token of a template goes where the tokeniser puts its own', () => {
  const miniature = templates['miniature'] ?? '';
  const turns: PromptTurn[] = [{ role: 'user', text: 'Hi' }];
  assert.equal(show(template(miniature, true).render(turns)), '<|user|>Hi<|assistant|>');
  assert.equal(show(template(miniature, false).render(turns)), '<s><|user|>Hi<|assistant|>');
});

test('without a template, LLaVA-1.5 conversations', () => {
  const system =
    'A chat between a curious human and an artificial intelligence assistant. ' +
    "The assistant gives helpful, detailed, and polite answers to the human's questions.";
  const first: PromptTurn = { role: 'user', text: 'What is this?', images: [picture()] };
  assert.equal(show(template(null).render([first])), `${system} USER: {IMAGE}\nWhat is this? ASSISTANT:`);
  const more: PromptTurn[] = [first, { role: 'assistant', text: 'A cat.' }, { role: 'user', text: 'Sure?' }];
  assert.equal(
    show(template(null).render(more)),
    `${system} USER: {IMAGE}\nWhat is this? ASSISTANT: A cat.</s>USER: Sure? ASSISTANT:`,
  );
  assert.equal(
    show(template(null).render([{ role: 'system', text: 'Be brief.' }, ...more])),
    'Be brief. USER: {IMAGE}\nWhat is this? ASSISTANT: A cat.</s>USER: Sure? ASSISTANT:',
  );
});

test('variables reach the template', () => {
  const source = "{% if enable_thinking %}think {% endif %}{{ mood }}: {{ messages[0]['content'] }}";
  const turns: PromptTurn[] = [{ role: 'user', text: 'Hi' }];
  assert.equal(show(template(source).render(turns)), ': Hi');
  const variables = { enable_thinking: true, mood: 'calm' };
  assert.equal(show(template(source).render(turns, { variables })), 'think calm: Hi');
});

test('turns that no template takes', () => {
  const chatml = template(templates['chatml'] ?? '');
  const user: PromptTurn = { role: 'user', text: 'Hi' };
  const refused = (turns: PromptTurn[], message: RegExp) =>
    assert.throws(
      () => chatml.render(turns),
      (error: unknown) =>
        error instanceof UsageError && error.code === 'ERR_INVALID_REQUEST' && message.test(error.message),
    );
  refused([], /received none/);
  refused([user, { role: 'assistant', text: 'Yes' }], /end with the user's, received one of assistant/);
  refused([user, { role: 'system', text: 'Be brief' }, user], /only in front, received one as turn 2/);
  refused([{ role: 'system', text: 'Be brief', images: [picture()] }, user], /pictures in user turns only/);
});

test('turns that this template refuses, and templates that are none', () => {
  assert.throws(
    () =>
      template(templates['gemma-2'] ?? '').render([
        { role: 'user', text: 'a' },
        { role: 'user', text: 'b' },
      ]),
    (error: unknown) => error instanceof UsageError && /cannot express.*user, user.*must alternate/.test(error.message),
  );
  assert.throws(
    () => template('{% for %}'),
    (error: unknown) => error instanceof ModelError && /is no Jinja/.test(error.message),
  );
  assert.throws(
    () => template("{{ raise_exception('no chat') }}").render([{ role: 'user', text: 'a' }]),
    (error: unknown) => error instanceof ModelError && /cannot render a question: no chat/.test(error.message),
  );
  assert.throws(
    () =>
      template("{{ messages[0]['content'] }}").render([
        { role: 'user', text: 'a' },
        { role: 'assistant', text: 'b' },
        { role: 'user', text: 'c' },
      ]),
    (error: unknown) => error instanceof UsageError && /gave back not every turn/.test(error.message),
  );
  const facts = { chatTemplate: null, beginText: '', endText: '', addsBeginToken: false };
  assert.throws(
    () => new ChatTemplate({ ...facts, architecture: 'qwen2' }),
    (error: unknown) =>
      error instanceof ModelError && /with a chat template, received one of architecture qwen2/.test(error.message),
  );
});
