/** Prompts under the vocabularies of well-known models: seams change no token, and texts stay texts. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Model, type ModelOptions } from '../../src/engine/index.js';
import { golden, tinyModel } from './fixture.js';
import { hollowModel } from './hollow-model.js';

const templates: Record<string, string> = JSON.parse(
  readFileSync(new URL('../golden/chat-templates/templates.json', import.meta.url), 'utf8'),
);

/** Vocabulary, template, and how the whole prompt reads around a question. */
const MODELS: readonly [string, string | undefined, (question: string) => string][] = [
  [
    'llama-spm',
    undefined,
    (question) =>
      'A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, detailed, ' +
      `and polite answers to the human's questions. USER: ${question} ASSISTANT:`,
  ],
  ['llama-spm', 'mistral-7b', (question) => `[INST] ${question} [/INST]`],
  [
    'llama-bpe',
    'llama-3',
    (question) =>
      `<|start_header_id|>user<|end_header_id|>\n\n${question}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n`,
  ],
  [
    'qwen2',
    'chatml',
    (question) =>
      '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' +
      `<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`,
  ],
];

const ORDINARY = [
  'What is this?',
  'a < b and c > d, [x] {y} |z|',
  'List<string> values; // <T>',
  "It's 3.14, e.g. 日本語 🙂 café",
  'two  spaces\n\nand lines',
  '1',
  '<',
];

const HOSTILE = [
  '<|im_end|>',
  '</s>',
  '<s>',
  '<unk>',
  '<|eot_id|>',
  '<|begin_of_text|>',
  '<|image_pad|>',
  '<image>',
  '<__media__>',
];

async function load(vocabulary: string, chatTemplate?: string): Promise<Model> {
  return await Model.load({ modelPath: hollowModel({ vocabulary, chatTemplate }), gpuLayerCount: 0, threadCount: 1 });
}

async function tokensOf(model: Model, question: string): Promise<number[]> {
  const parts = await model.prompt([{ role: 'user', text: question }]);
  return parts.flatMap((part) => (part instanceof Int32Array ? [...part] : assert.fail('a picture')));
}

function specialsOf(model: Model, tokens: readonly number[]): number[] {
  return tokens.filter((token) => model.tokenBytes(token).length === 0);
}

for (const [vocabulary, templateName, whole] of MODELS) {
  test(`${vocabulary} with ${templateName ?? 'llava_v1'}`, async () => {
    await using model = await load(vocabulary, templateName === undefined ? undefined : templates[templateName]);
    const { addsBeginToken, beginToken } = model.facts;
    const begin = addsBeginToken && beginToken !== null ? [beginToken] : [];
    for (const question of ORDINARY) {
      const expected = [...begin, ...(await model.tokenize(whole(question), { parseSpecial: true }))];
      assert.deepEqual(await tokensOf(model, question), expected, question);
    }
    const harmless = specialsOf(model, await tokensOf(model, 'What?'));
    for (const text of [...HOSTILE, HOSTILE.join(''), `say ${HOSTILE.join(' and ')} now`]) {
      const tokens = await tokensOf(model, text);
      assert.deepEqual(specialsOf(model, tokens), harmless, text);
      assert.ok(model.text(tokens).includes(text), `${JSON.stringify(model.text(tokens))} holds ${text}`);
    }
    // The control: parsed as template text, the same words would be special.
    const parsed = await model.tokenize(HOSTILE.join(' '), { parseSpecial: true });
    assert.ok(specialsOf(model, [...parsed]).length > 0);
  });
}

test('half a special token at a seam stays half', async () => {
  const template = "{{ '<|im_start|>user\n' + messages[0]['content'] + 'im_end|>' }}";
  await using model = await load('qwen2', template);
  const tokens = await tokensOf(model, 'a <|');
  assert.equal(specialsOf(model, tokens).length, 1);
  assert.equal(model.text(tokens), 'user\na <|im_end|>');
});

test("a LLaVA-1.5 model gets the conversation of LLaVA's code where that is asked for, others what their files say", async () => {
  const { embeddingSize: width } = await (async () => {
    await using tiny = await tinyModel();
    return tiny.facts;
  })();
  const chatTemplate = templates['mistral-7b'];
  const shape = { width, layerCount: 1, headCount: 2, kvHeadCount: 2, feedForward: 8 };
  const vicuna = hollowModel({ vocabulary: 'llama-spm', chatTemplate, shape });
  const projectorPath = golden('tiny-projector.gguf');
  const asked = async (options: Pick<ModelOptions, 'modelPath' | 'projectorPath' | 'conversationForm'>) => {
    await using model = await Model.load({ ...options, gpuLayerCount: 0, threadCount: 1 });
    const turns = [{ role: 'user' as const, text: 'What?' }];
    const behind = model.text(await model.followUp(turns, 'Why?'));
    return [model.conversationForm, model.text(await tokensOf(model, 'What?')), behind];
  };
  const [, , whole] = MODELS[0] ?? assert.fail('no LLaVA');
  const ofFile = ['file', ' [INST] What? [/INST]', ' [INST] Why? [/INST]'];
  assert.deepEqual(await asked({ modelPath: vicuna, projectorPath, conversationForm: 'llava_v1' }), [
    'llava_v1',
    ` ${whole('What?')}`,
    ' USER: Why? ASSISTANT:',
  ]);
  assert.deepEqual(await asked({ modelPath: vicuna, projectorPath }), ofFile);
  assert.deepEqual(await asked({ modelPath: vicuna, conversationForm: 'llava_v1' }), ofFile, 'it sees nothing');
  const mistral = hollowModel({ vocabulary: 'llama-spm', chatTemplate, shape: { ...shape, kvHeadCount: 1 } });
  assert.deepEqual(await asked({ modelPath: mistral, projectorPath, conversationForm: 'llava_v1' }), ofFile);
});
