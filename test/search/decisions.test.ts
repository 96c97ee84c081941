/** What the search decides where a model cannot be brought to it: the rounds are scripted, the search is the real one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentencesByToken } from '../../src/search/index.js';
import { play } from './scripted-sequence.js';

/** Silence is worth more than any word. */
const silenceFirst = async (texts: readonly string[]) => texts.map((text) => -text.length);
const silent = { text: '', ends: true };

test('where silence is not wanted it ends an answer all the same, once something was said', async () => {
  const script = [
    [{ text: ' Hello there.' }, silent],
    [{ text: ' And more.' }, silent],
  ];
  const options = { rewards: silenceFirst, mayBeEmpty: false };
  const found = await play(script, options);
  assert.deepEqual([found.text, found.isEnded], [' Hello there.', true]);
  assert.deepEqual(
    found.rounds.map(({ chosen }) => chosen),
    [0, 1],
  );
  const first = await play(script, { rewards: silenceFirst, mayBeEmpty: true });
  assert.deepEqual([first.text, first.rounds.length], ['', 1]);
});

test('punctuation alone says nothing yet', async () => {
  const script = [
    [{ text: '...' }, { text: '.....' }],
    [{ text: ' Yes.' }, silent],
    [{ text: ' No.' }, silent],
  ];
  const found = await play(script, { rewards: silenceFirst, mayBeEmpty: false });
  assert.equal(found.text, '... Yes.');
});

test('a sentence ends by what stands before it, the interference prefix included', async () => {
  const script = [[{ text: ' iv. It burns.' }], [{ text: ' It burns.' }]];
  const sentences = async (before: string) =>
    (await play(script, { before, maxTokens: 14 })).rounds[0]?.candidates[0]?.text;
  assert.equal(await sentences('As it says in part'), ' iv.');
  assert.equal(await sentences(''), ' iv. It burns.', 'at the start of a line it is a numeral');
});

test('a search tells whether the model ended the text', async () => {
  const one = (text: string, ends: boolean, maxTokens: number) => play([[{ text, ends }]], { maxTokens });
  const told = async (text: string, ends: boolean, maxTokens: number) => {
    const { isEnded, tokenCount } = await one(text, ends, maxTokens);
    return [isEnded, tokenCount];
  };
  assert.deepEqual(await told(' Yes', true, 5), [true, 4], 'the end token was the last one allowed');
  assert.deepEqual(await told(' Yes', true, 4), [false, 4], 'there was no room to sample the end token');
  assert.deepEqual(await told(' Yes and no', true, 4), [false, 4], 'cut within the sentence');
  assert.deepEqual(await told(' No.', false, 4), [false, 4], 'the last sentence ended where the answer is cut');
});

test('a last sentence that goes on past the limit is no end of the answer', async () => {
  const rule = { ...sentencesByToken(20), ends: (text: string) => text.endsWith('.') };
  const options = { rule, maxTokens: 6, roomTokens: 25 };
  const past = await play([[{ text: ' One.' }], [{ text: ' and two.' }]], options);
  assert.deepEqual([past.text, past.isEnded], [' One. and two.', false]);
  const ended = await play([[{ text: ' One.' }], [{ text: ' and two', ends: true }]], options);
  assert.deepEqual([ended.text, ended.isEnded], [' One. and two', true]);
});

test('a judge that says nothing of a candidate decides nothing', async () => {
  const script = [
    [
      { text: ' One.', ends: true },
      { text: ' Two!', ends: true },
    ],
    [],
  ];
  const said = { code: 'ERR_EVALUATOR', name: 'EvaluatorError' };
  for (const [value, word] of [
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [undefined, 'none'],
  ] as const) {
    const rewards = async () => [1, value] as number[];
    await assert.rejects(play(script, { rewards }), { ...said, message: new RegExp(`reward .* received ${word}\\.`) });
  }
  const spoken = [[{ text: ' One.' }], [{ text: ' Two.' }]];
  const judge = {
    rewards: async () => [1],
    clipScores: async () => [Number.NaN],
    accept: () => undefined,
  };
  await assert.rejects(play(spoken, { judge }), { ...said, message: /CLIP score .* received NaN\./ });
});

test('by text the last sentence is cut at the limit, however much room there is', async () => {
  const found = await play([[{ text: ' One.' }], [{ text: ' and two.' }]], { maxTokens: 8, roomTokens: 25 });
  assert.deepEqual([found.text, found.tokenCount, found.isEnded], [' One. an', 8, false]);
});
