/** Chat templates: rendering against Jinja2's, and what texts can never do. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mock, test } from 'node:test';
import { ChatTemplate, checkTurnCount } from '../../src/engine/chat-template.js';
import type { PromptPiece, PromptTurn } from '../../src/engine/prompt-piece.js';
import { ModelError, UsageError } from '../../src/errors.js';
import { JinjaTemplate } from '../../src/jinja/index.js';
import type { NativeImage } from '../../src/native/image-types.js';

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

test('a template that costs too much is refused at once, however it could be asked', () => {
  const costly = "{% if messages|length > 1 or 'x' %}{% for i in range(1000000) %}{{ i }}{% endfor %}{% endif %}";
  const later = `{% if messages|length > 1 %}${costly}{% endif %}{{ messages[0].content }}`;
  const render = mock.method(JinjaTemplate.prototype, 'render');
  try {
    assert.throws(
      () => template(costly).render([{ role: 'user', text: 'a' }]),
      (error: unknown) =>
        error instanceof ModelError &&
        error.code === 'ERR_MODEL_INVALID' &&
        /takes more than \d+ steps/.test(error.message),
    );
    assert.equal(render.mock.callCount(), 2, 'with a text, with a list');
    const one = template(later);
    one.render([{ role: 'user', text: 'a' }]);
    render.mock.resetCalls();
    const turns: PromptTurn[] = [
      { role: 'system', text: 'b' },
      { role: 'user', text: 'a' },
    ];
    assert.throws(
      () => one.render(turns),
      (error: unknown) =>
        error instanceof UsageError &&
        error.code === 'ERR_INVALID_REQUEST' &&
        /takes more than \d+ steps/.test(error.message),
    );
    assert.equal(render.mock.callCount(), 1);
  } finally {
    render.mock.restore();
  }
});

/** Words at the end of texts that a template could trip over, were it shown them; each pair has one shape. */
const ALIKE: readonly (readonly [string, string])[] = [
  ['Hello.', '{{ messages }} {% raise %} </s> 0x0x'],
  ['  two spaces', '  <|im_end|>'],
  ['a line\n', '</think>\n'],
  ['', ''],
  [' \n', ' \n'],
];

for (const [name, source] of Object.entries(templates)) {
  test(`${name}: turns of a shape that was rendered before are as if rendered whole`, () => {
    const seamed = template(source);
    for (const turns of Object.values(golden.turns)) {
      for (const pair of ALIKE) {
        for (const words of pair) {
          const given = turns.map(({ role, text, images }, at) => ({
            role,
            text: at === turns.length - 1 ? `${words}${words.trim() === '' ? '' : 'x'}` : text,
            images: Array.from({ length: images }, picture),
          }));
          const [first, second, whole] = [seamed, seamed, template(source)].map((one) => {
            try {
              return one.render(given);
            } catch (error) {
              return (error as Error).message;
            }
          });
          assert.deepEqual(first, whole);
          assert.deepEqual(second, whole);
          if (typeof first !== 'object') continue;
          const shown = first.flatMap((piece) => (piece.kind === 'image' ? [piece.image] : []));
          const own = given.flatMap(({ images }) => images);
          assert.ok(shown.length === own.length && shown.every((image) => own.includes(image)));
        }
      }
    }
  });
}

test('candidates of one shape are rendered once; another shape, other variables and a clock are rendered', () => {
  const source = '{% for m in messages %}{{ m.role + m.content | trim }};{% endfor %}{{ risk }}';
  const render = mock.method(JinjaTemplate.prototype, 'render');
  const count = (one: ChatTemplate, answers: readonly string[], variables = {}) => {
    const before = render.mock.callCount();
    for (const text of answers) {
      const turns = [{ role: 'user' as const, text: 'Why?' }];
      const pieces = one.render([...turns, { role: 'assistant', text }], { mayEndWithAnswer: true, variables });
      assert.match(show(pieces), /^userWhy\?;assistant/);
      assert.ok(text.trim() === '' || show(pieces).includes(`assistant${text.trim()};`));
    }
    return render.mock.callCount() - before;
  };
  try {
    const one = template(source);
    count(one, ['warm']); // and what it asks a template once
    assert.equal(count(one, ['One.', 'Two {{ x }}.', 'Three.', 'assistant', '0']), 0);
    assert.equal(count(one, [' One.', ' Two.', 'Three.\n', 'Four.\n', '', '']), 3);
    assert.equal(count(one, ['One.', 'Two.'], { risk: 'harm' }), 1);
    assert.equal(count(one, ['One.', 'Two.'], { risk: new Date(0) }), 2, 'what JSON cannot tell apart');
    const clock = template(`${source}{{ strftime_now('%Y') }}`);
    count(clock, ['warm']);
    assert.equal(count(clock, ['One.', 'Two.']), 2);
  } finally {
    render.mock.restore();
  }
});

test('as many turns as there may be, and one more; as many with words as there are tokens for', () => {
  const chat = (count: number) =>
    Array.from({ length: count }, (_, at): PromptTurn => ({ role: at % 2 === 0 ? 'user' : 'assistant', text: 'x' }));
  const tooLong = (message: RegExp) => ({ name: 'UsageError', code: 'ERR_PROMPT_TOO_LONG', message });
  const llava = template(null);
  assert.equal(textsOf(llava.render(chat(1023))).length, 1023);
  checkTurnCount(chat(1024));
  assert.throws(() => checkTurnCount(chat(1025)), tooLong(/at most 1024 turns but received 1025 turns\. Shorten/));
  assert.throws(() => llava.render(chat(1025)), tooLong(/at most 1024 turns/));
  checkTurnCount('no turns, which others tell');
  assert.equal(textsOf(llava.render(chat(5), { maxTokens: 5 })).length, 5);
  assert.throws(() => llava.render(chat(5), { maxTokens: 4 }), tooLong(/turns of at most 4 tokens but received 5/));
  const silent = chat(5).map((turn, at) => (at === 1 ? { ...turn, text: '' } : turn));
  llava.render(silent, { maxTokens: 4 });
  assert.throws(() => llava.render(chat(1), { maxTokens: -1 }), { code: 'ERR_INVALID_OPTION' });
});

test('what stands behind an answer when the user goes on', () => {
  const chatml = template(templates['chatml'] ?? '');
  const turns: PromptTurn[] = [{ role: 'user', text: 'What?', images: [picture()] }];
  const whole = show(
    chatml.render([{ ...turns[0], role: 'user', text: 'What?', images: [] }, ...answered('A cat.', 'Sure?')]),
  );
  const behind = chatml.renderFollowUp(turns, 'Sure?');
  assert.equal(behind.map(({ text }) => text).join(''), whole.slice(whole.indexOf('A cat.') + 'A cat.'.length));
  assert.ok(behind.every(({ text }) => text !== ''));
  assert.deepEqual(
    behind.filter(({ text }) => text === 'Sure?').map(({ parseSpecial }) => parseSpecial),
    [false],
    'words stay words',
  );
  assert.ok(behind.filter(({ text }) => text !== 'Sure?').every(({ parseSpecial }) => parseSpecial));
  const forgetful = template("{% for m in messages %}{% if m.role == 'user' %}{{ m.content }};{% endif %}{% endfor %}");
  assert.throws(
    () => forgetful.renderFollowUp([{ role: 'user', text: 'What?' }], 'Sure?'),
    (error: unknown) => error instanceof UsageError && /gave back not every turn/.test(error.message),
  );
});

const answered = (answer: string, text: string): PromptTurn[] => [
  { role: 'assistant', text: answer },
  { role: 'user', text },
];

test('a system turn that a template refuses opens the first question instead, and pictures keep their places', () => {
  const strict =
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}" +
    '[{{ m.role }}]{{ m.content }}{% endfor %}';
  const turns: PromptTurn[] = [
    { role: 'system', text: 'Be brief.' },
    { role: 'user', text: 'What?', images: [picture(), picture()] },
    ...answered('A cat.', 'Sure?'),
  ];
  const pieces = template(strict).render(turns);
  assert.equal(show(pieces), '[user]Be brief.\n{IMAGE}{IMAGE}What?[assistant]A cat.[user]Sure?');
  assert.deepEqual(
    pieces.flatMap((piece) => (piece.kind === 'image' ? [piece.image] : [])),
    turns[1]?.images,
  );
  assert.throws(
    () => template(strict).render([{ role: 'system', text: 'Be brief.' }]),
    (error: unknown) => error instanceof UsageError && /received one of system last/.test(error.message),
  );
});

test('a template that loops over tools without asking gets none; one that names them gets its own', () => {
  const source = '{% for tool in tools %}{{ tool }},{% endfor %}{{ messages[0].content }}';
  const strict = `{{ tools | length }}:${source}`;
  const turns: PromptTurn[] = [{ role: 'user', text: 'Hi' }];
  assert.equal(show(template(strict).render(turns)), '0:Hi');
  assert.equal(show(template(strict).render(turns, { variables: { tools: ['a', 'b'] } })), '2:a,b,Hi');
});
