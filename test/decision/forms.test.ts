/** The shipped forms: their wording is pinned, their verdicts are tokens of real vocabularies, and noise is no decision. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { wordingOf } from '../../src/decision/form.js';
import { GuardPrompt } from '../../src/decision/guard-prompt.js';
import { type DecisionForm, decisionForms, readForm } from '../../src/decision/index.js';
import { verdictTokens } from '../../src/decision/verdict-tokens.js';
import { Model } from '../../src/engine/index.js';
import { PromptSeams } from '../../src/engine/prompt-seams.js';
import { JinjaTemplate } from '../../src/jinja/index.js';
import { hollowModel } from '../engine/hollow-model.js';
import { tinyForm, tinyGuard } from './guards.js';

/** What each asks, and how the reply is read. Another wording wants another threshold: change both, knowingly. */
const WORDINGS: Readonly<Record<string, string>> = {
  'granite-guardian': 'f8d1aca718237d791db464b42727a8eb5c7f5db4b9e9fcbf7d817eebfa3af87a',
  'llama-guard-3': 'c31fd3051cf8d724fedbb88ad32f88250dc8e5e69cbb2fe793fef0af7fd10c33',
  qwen3guard: '9c9d17db0f1b86e0d13cc0d4b74eb57cd2de07c72a8ac32965021eaf1e91877c',
  self: '55654337c7dfc426d79e67a940a063f004359d278f610f8a2077aa7db5c2faae',
  shieldstral: 'c67aa62321b8b1d71c2a5fbc9eccd9140c8ae085f714c3c62cd8fb2be1664c68',
};

/** As the guards' templates do it: one user turn that holds the conversation, and what the form looks for. */
const template = (marks: string, opening: string) =>
  `{{ '<|im_start|>user\\n${marks.replaceAll("'", "\\'")}\\n' }}{% for m in messages %}{{ m.role | upper + ': ' + m.content + '\\n' }}{% endfor %}` +
  `{{ '<|im_end|>\\n<|im_start|>assistant\\n${opening}' }}`;

/**
 * A form; a vocabulary of llama.cpp's that has its words; texts that `templateHolds` looks for; what the guard's template
 * writes where the reply begins; and what the prompt has to end with.
 */
const GUARDS: readonly (readonly [form: string, vocabulary: string, marks: string, opening: string, ending: RegExp])[] =
  [
    [
      'qwen3guard',
      'qwen2',
      "'Safety: Safe', 'Safety: Controversial'",
      '<think>\\n\\n</think>\\n\\n',
      /<\/think>\n\nSafety:$/,
    ],
    ['llama-guard-3', 'llama-bpe', '<BEGIN UNSAFE CONTENT CATEGORIES> First line must read', '', /assistant\n\n\n$/],
    ['granite-guardian', 'qwen2', 'guardian_config: a risk definition', '', /assistant\n$/],
  ];

async function standIn(vocabulary: string, chatTemplate: string): Promise<string> {
  return hollowModel({ vocabulary, chatTemplate });
}

const ANSWERS = ['I cannot.', 'Here: mix </think> and {{ x }} <|im_end|>', '{answer}', 'no', '0', ' So', 'So.\n', ''];

/** The tokens of each answer, once with seams and once rendered whole. */
async function expectSeams(prompt: GuardPrompt, form: DecisionForm): Promise<void> {
  const turns = [{ role: 'user' as const, content: 'How? {answer} </s>' }];
  const parts = async () => {
    const all = [];
    for (const answer of ANSWERS) all.push(await prompt.parts(form.answer, { turns, images: [], answer }, {}));
    return all;
  };
  const render = mock.method(JinjaTemplate.prototype, 'render');
  const seamed = await parts();
  const count = render.mock.callCount();
  const whole = mock.method(
    PromptSeams.prototype,
    'render',
    (...[turns, , render]: Parameters<PromptSeams['render']>) => render(turns),
  );
  try {
    assert.deepEqual(seamed, await parts());
    assert.equal(
      new Set(seamed.map((one) => String(one))).size,
      ANSWERS.length,
      'answers that are read alike show nothing',
    );
    const wholeCount = render.mock.callCount() - count;
    assert.ok(count < wholeCount, `${count} renderings in place of ${wholeCount}`);
    const before = render.mock.callCount();
    whole.mock.restore();
    await parts();
    assert.equal(render.mock.callCount(), before, 'another request of the same shape');
  } finally {
    whole.mock.restore();
    render.mock.restore();
  }
}

const spelled = (model: Model, tokens: Int32Array) => [...tokens].map((token) => model.text([token]));

test('the wording of every shipped form is the one that is pinned, and none says that it was calibrated', async () => {
  const names = await decisionForms();
  assert.deepEqual(names, Object.keys(WORDINGS).sort());
  for (const name of names) {
    const form = await readForm(name);
    assert.equal(form.name, name);
    assert.equal(form.wordingSha256, WORDINGS[name], name);
    for (const question of [form.answer, form.picture ?? form.answer]) {
      assert.equal(question.isCalibrated, false, name);
      assert.equal(question.threshold, 0, name);
      assert.ok(question.leastMass >= 0.5, name);
    }
  }
});

test('the hash holds all that is asked and read, and nothing else', () => {
  const form = tinyForm();
  const of = (change: Partial<DecisionForm>) => wordingOf({ ...form, ...change });
  assert.equal(of({ title: 'other', source: 'other' }), form.wordingSha256);
  assert.equal(
    of({ answer: { ...form.answer, threshold: 1, leastMass: 0.9, isCalibrated: true } }),
    form.wordingSha256,
  );
  for (const change of [
    { policy: 'other' },
    { maxTokens: 2048 },
    { templateHolds: ['a'] },
    { picture: null },
    { answer: { ...form.answer, lead: ' ' } },
    { answer: { ...form.answer, score: 'probability' as const } },
    { answer: { ...form.answer, verdicts: { safe: ['b'], unsafe: ['t'] } } },
  ])
    assert.notEqual(of(change), form.wordingSha256, JSON.stringify(change));
});

for (const [name, vocabulary, marks, opening, ending] of GUARDS) {
  test(`${name}: the guard's own template asks, up to where its verdict begins`, async () => {
    await using model = await Model.load({
      modelPath: await standIn(vocabulary, template(marks, opening)),
      threadCount: 1,
    });
    const form = await readForm(name);
    const asked = { turns: [{ role: 'user' as const, content: 'How? <|im_end|>' }], images: [], answer: 'So.' };
    const parts = await new GuardPrompt(model, form).parts(form.answer, asked, {});
    const tokens = parts.flatMap((part) => (part instanceof Int32Array ? [...part] : []));
    const said = model.text(tokens);
    assert.match(said, /USER: How\? <\|im_end\|>\nASSISTANT: So\.\n/);
    assert.match(said, ending);
    const { safe, unsafe } = await verdictTokens(model, form.answer.verdicts);
    const [good = '', bad = ''] = [form.answer.verdicts.safe[0], form.answer.verdicts.unsafe[0]];
    for (const [tokensOf, word] of [
      [safe, good],
      [unsafe, bad],
    ] as const)
      assert.ok(
        spelled(model, tokensOf).includes(` ${word}`) || spelled(model, tokensOf).includes(word),
        `${word}: ${spelled(model, tokensOf)}`,
      );
  });

  test(`${name}: candidates are rendered once a request, and read as if rendered each`, async () => {
    await using model = await Model.load({
      modelPath: await standIn(vocabulary, template(marks, opening)),
      threadCount: 1,
    });
    const form = await readForm(name);
    await expectSeams(new GuardPrompt(model, form), form);
  });

  test(`${name}: a model that says anything as likely does not answer`, async () => {
    const guard = await tinyGuard(await standIn(vocabulary, template(marks, opening)), await readForm(name), {
      contextSize: 2048,
    });
    const session = guard.open([{ role: 'user', content: 'How?' }], async () => []);
    await assert.rejects(session.scores(['So.']), {
      name: 'EvaluatorError',
      code: 'ERR_NO_DECISION',
      message: /received [\d.e-]+: it does not answer the question/,
    });
    session.close();
    await guard.dispose();
  });

  test(`${name}: another model's template is refused`, async () => {
    await assert.rejects(tinyGuard(await standIn(vocabulary, template('Be kind.', opening)), await readForm(name)), {
      code: 'ERR_MODEL_MISMATCH',
    });
  });
}

test('shieldstral: policy, question and answer stand in the parts of its form, for any template', async () => {
  await using model = await Model.load({ modelPath: await standIn('qwen2', template('', '')), threadCount: 1 });
  const form = await readForm('shieldstral');
  await expectSeams(new GuardPrompt(model, form), form);
  const asked = { turns: [{ role: 'user' as const, content: 'Q {answer}' }], images: [], answer: 'A {question}' };
  const [tokens] = await new GuardPrompt(model, form).parts(form.answer, asked, {});
  const said = model.text(tokens as Int32Array);
  assert.match(
    said,
    /SYSTEM: Judge whether the Document.*\nUSER: <Instruct>: Content is forbidden .*\n\n<Query>: .*\n\n<Document>: The user asks: Q \{answer\}\nThe assistant answers: A \{question\}\n/s,
  );
});

test("every spelling of a verdict is found under Qwen2's vocabulary; a word of several tokens by its first", async () => {
  await using model = await Model.load({ modelPath: await standIn('qwen2', template('', '')), threadCount: 1 });
  const { safe, unsafe } = await verdictTokens(model, { safe: ['Safe'], unsafe: ['Unsafe', 'Controversial'] });
  for (const word of ['safe', ' safe', 'Safe', ' Safe', ' SAFE']) assert.ok(spelled(model, safe).includes(word), word);
  for (const word of [' unsafe', ' Cont'])
    assert.ok(spelled(model, unsafe).includes(word), `${word}: ${spelled(model, unsafe)}`);
  await assert.rejects(verdictTokens(model, { safe: ['yes'], unsafe: ['Yes'] }), {
    code: 'ERR_MODEL_MISMATCH',
    message: /begins both verdicts/,
  });
});
