import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EtaRequest, parseRequest } from '../../src/eta/request.js';
import { loadSchema } from '../../src/loading/load-options.js';
import { parseOptions } from '../../src/options.js';
import { overridePolicy } from '../../src/policy/index.js';
import { POLICIES, POST_EVALUATION_PROMPT, SAFETY_PROMPT } from '../../src/policy/policy.js';

const defaults = {
  policy: POLICIES.standard,
  thresholds: { unsafeClipScore: 0.16, safeReward: 0.06 },
  thresholdSources: { unsafeClipScore: 'manifest', safeReward: 'manifest' },
  calibratedPrompts: { unsafeClipScore: SAFETY_PROMPT, safeReward: POST_EVALUATION_PROMPT },
  calibratedOn: { unsafeClipScore: 'both', safeReward: 'both' } as const,
  reuse: true,
  exact: false,
  newSeed: () => 7,
};
const parse = (request: unknown) => parseRequest(request as EtaRequest, defaults);
const user = (text: string, images?: string[]) => ({ role: 'user', text, ...(images && { images }) });
const assistant = (text: string) => ({ role: 'assistant', text });

/** What is wrong, the code, and the whole message. */
const WRONG: readonly (readonly [request: unknown, code: string, message: string])[] = [
  [
    {},
    'ERR_INVALID_REQUEST',
    'request: prompt: expected a question, received nothing. Give prompt, or turns that end with one.',
  ],
  [
    { prompt: ' \n' },
    'ERR_INVALID_REQUEST',
    'request: prompt: expected a question, received " \\n". Give prompt, or turns that end with one.',
  ],
  [{ prompt: 5 }, 'ERR_INVALID_OPTION', 'request: prompt: expected a text; received 5.'],
  [
    { prompt: 'a', image: 'x.png', images: [] },
    'ERR_INVALID_REQUEST',
    'request: image: expected image or images, received both. Put every picture into images.',
  ],
  [
    { prompt: 'a', image: '' },
    'ERR_INVALID_OPTION',
    'request: image: expected a path, a URL, bytes or pixels { data, width, height }; received "".',
  ],
  [
    { prompt: 'a', images: ['a.png', 3] },
    'ERR_INVALID_OPTION',
    'request: images.1: expected a path, a URL, bytes or pixels { data, width, height }; received 3.',
  ],
  [
    { prompt: 'a', images: 'a.png' },
    'ERR_INVALID_OPTION',
    'request: images: expected an array of pictures; received "a.png".',
  ],
  [
    { prompt: 'a', turns: [user('b')] },
    'ERR_INVALID_REQUEST',
    'request: prompt: expected turns or prompt, received both. Put it into the last turn.',
  ],
  [
    { turns: Array(7_000_000).fill({ a: 1 }) },
    'ERR_PROMPT_TOO_LONG',
    'Expected at most 1024 turns but received 7000000 turns. Shorten the conversation.',
  ],
  [
    { prompt: 'a', images: Array(200_000).fill(new Uint8Array(4)) },
    'ERR_INVALID_REQUEST',
    'request: images: expected at most 1024 pictures, received 200000. Show fewer.',
  ],
  [
    {
      turns: [
        { ...user('a'), images: Array(1000).fill('a.png') },
        assistant('b'),
        { ...user('a'), images: Array(25).fill('a.png') },
      ],
    },
    'ERR_INVALID_REQUEST',
    'request: images: expected at most 1024 pictures, received 1025. Show fewer.',
  ],
  [
    { turns: [] },
    'ERR_INVALID_REQUEST',
    'request: turns: expected a question in a user turn at the end, received nothing.',
  ],
  [
    { turns: [user('a'), assistant('b')] },
    'ERR_INVALID_REQUEST',
    'request: turns: expected a question in a user turn at the end, received "assistant".',
  ],
  [
    { turns: [user('a'), assistant('b'), user('')] },
    'ERR_INVALID_REQUEST',
    'request: turns: expected a question in a user turn at the end, received "".',
  ],
  [
    { turns: [assistant('a'), user('b')] },
    'ERR_INVALID_REQUEST',
    'request: turns: expected the conversation to begin with a user turn, received an assistant turn.',
  ],
  [
    { turns: [user('a'), user('b')] },
    'ERR_INVALID_REQUEST',
    'request: turns.1.role: expected user and assistant in turn, received user twice. Join the two texts.',
  ],
  [
    { turns: [user('a'), { role: 'system', text: 'b' }] },
    'ERR_INVALID_REQUEST',
    'request: turns.1.role: expected system as the first turn only. Move it to the front.',
  ],
  [
    { turns: [{ role: 'system', text: 's', images: ['a.png'] }, user('a')] },
    'ERR_INVALID_REQUEST',
    'request: turns.0.images: expected pictures in user turns, received some in a system turn.',
  ],
  [
    { turns: [{ role: 'robot', text: 's' }] },
    'ERR_INVALID_OPTION',
    'request: turns.0.role: expected system, user or assistant; received "robot".',
  ],
  [
    { turns: [{ role: 'user', content: 's', text: 'x' }] },
    'ERR_UNKNOWN_OPTION',
    "request: unknown option 'content'. Known: role, text, images.",
  ],
  ...['policy', 'models', 'contextSize', 'onProgress'].map((name): [object, string, string] => [
    { prompt: 'a', [name]: 'paper' },
    'ERR_UNKNOWN_OPTION',
    `request: unknown option '${name}'. Give it to loadEta.`,
  ]),
  [{ prompt: 'a', promt: 'b' }, 'ERR_UNKNOWN_OPTION', "request: unknown option 'promt'. Did you mean 'prompt'?"],
  [
    { prompt: 'a', candidatesCount: 3 },
    'ERR_UNKNOWN_OPTION',
    "request: unknown option 'candidatesCount'. Did you mean 'candidateCount'?",
  ],
  [
    { prompt: 'a', candidateCount: 0 },
    'ERR_INVALID_OPTION',
    'request: candidateCount: expected an integer from 1 to 255; received 0.',
  ],
  [
    { prompt: 'a', candidateCount: 2.5 },
    'ERR_INVALID_OPTION',
    'request: candidateCount: expected an integer from 1 to 255; received 2.5.',
  ],
  [
    { prompt: 'a', candidateCount: 256 },
    'ERR_INVALID_OPTION',
    'request: candidateCount: expected an integer from 1 to 255; received 256.',
  ],
  [
    { prompt: 'a', firstCandidateCount: -1 },
    'ERR_INVALID_OPTION',
    'request: firstCandidateCount: expected an integer from 0 to 255; received -1.',
  ],
  [
    { prompt: 'a', firstCandidateCount: 2, acceptAbove: Number.NaN },
    'ERR_INVALID_OPTION',
    'request: acceptAbove: expected a finite number; received NaN.',
  ],
  [
    { prompt: 'a', acceptAbove: 0.2 },
    'ERR_INVALID_OPTION',
    'request: acceptAbove: expected none where all candidates are drawn at once, received 0.2. Give a firstCandidateCount above 0 and below candidateCount (5) with it, or leave it out.',
  ],
  [
    { prompt: 'a', candidateCount: 3, firstCandidateCount: 3, acceptAbove: 0.2 },
    'ERR_INVALID_OPTION',
    'request: acceptAbove: expected none where all candidates are drawn at once, received 0.2. Give a firstCandidateCount above 0 and below candidateCount (3) with it, or leave it out.',
  ],
  [
    { prompt: 'a', temperature: Number.NaN },
    'ERR_INVALID_OPTION',
    'request: temperature: expected a number > 0; received NaN.',
  ],
  [{ prompt: 'a', temperature: 0 }, 'ERR_INVALID_OPTION', 'request: temperature: expected a number > 0; received 0.'],
  [
    { prompt: 'a', temperature: Number.POSITIVE_INFINITY },
    'ERR_INVALID_OPTION',
    'request: temperature: expected a number > 0; received Infinity.',
  ],
  [{ prompt: 'a', topK: -1 }, 'ERR_INVALID_OPTION', 'request: topK: expected an integer >= 0; received -1.'],
  [{ prompt: 'a', maxTokens: 0 }, 'ERR_INVALID_OPTION', 'request: maxTokens: expected an integer >= 1; received 0.'],
  [
    { prompt: 'a', sentenceTokenLimit: 1 },
    'ERR_INVALID_OPTION',
    'request: sentenceTokenLimit: expected an integer >= 2; received 1.',
  ],
  [
    { prompt: 'a', seed: -1 },
    'ERR_INVALID_OPTION',
    'request: seed: expected an integer from 0 to 4294967295; received -1.',
  ],
  [
    { prompt: 'a', seed: 2 ** 32 },
    'ERR_INVALID_OPTION',
    'request: seed: expected an integer from 0 to 4294967295; received 4294967296.',
  ],
  [
    { prompt: 'a', method: 'magic' },
    'ERR_INVALID_OPTION',
    'request: method: expected vanilla, pre, post, shallow, deep, eta, ecso, steered; received "magic".',
  ],
  [
    { prompt: 'a', signal: {} },
    'ERR_INVALID_OPTION',
    'request: signal: expected an AbortSignal; received an object (Object).',
  ],
  [
    { prompt: 'a', refusalText: ' ' },
    'ERR_INVALID_OPTION',
    'request: refusalText: expected a text that is not empty; received " ".',
  ],
  [
    { prompt: 'a', whenStillUnsafe: 'throw' },
    'ERR_INVALID_OPTION',
    'request: whenStillUnsafe: expected refuse or return; received "throw".',
  ],
  [
    { prompt: 'a', thresholds: { unsafeClipScore: 16 } },
    'ERR_INVALID_OPTION',
    'request: thresholds.unsafeClipScore: expected a number from -1 to 1; received 16.',
  ],
  [
    { prompt: 'a', thresholds: { safeReward: Number.NaN } },
    'ERR_INVALID_OPTION',
    'request: thresholds.safeReward: expected a finite number; received NaN.',
  ],
  [
    { prompt: 'a', thresholds: { safe: 1 } },
    'ERR_UNKNOWN_OPTION',
    "request: unknown option 'safe'. Known: unsafeClipScore, safeReward, unsafeDecision, safeDecision, lowReward, lowDecision.",
  ],
];

for (const [request, code, message] of WRONG) {
  test(message, () => {
    assert.throws(() => parse(request), { name: 'UsageError', code, message });
  });
}

for (const value of [null, 'a question', 5, []]) {
  test(`a request that is ${JSON.stringify(value)} is refused`, () => {
    assert.throws(() => parse(value), { name: 'UsageError' });
  });
}

test('a question alone gets every default', () => {
  const { signal, stops, ...rest } = parse({ prompt: 'What is this?' });
  assert.ok(stops.isEmpty);
  assert.equal(signal, undefined);
  assert.deepEqual(rest, {
    turns: [{ role: 'user', text: 'What is this?', images: [] }],
    policy: POLICIES.standard,
    thresholds: defaults.thresholds,
    thresholdSources: defaults.thresholdSources,
    calibratedPrompts: defaults.calibratedPrompts,
    calibratedOn: defaults.calibratedOn,
    reuse: true,
    exact: false,
    seed: 7,
  });
});

test('one picture, several, and a conversation become turns', () => {
  assert.deepEqual(parse({ prompt: 'a', image: 'x.png' }).turns, [user('a', ['x.png'])]);
  assert.deepEqual(parse({ prompt: 'a', images: ['x.png', 'y.png'] }).turns, [user('a', ['x.png', 'y.png'])]);
  const turns = [{ role: 'system', text: 's' }, user('a', ['x.png']), assistant('b'), user('c')];
  assert.deepEqual(parse({ turns }).turns, turns);
});

test('what a request names overrides the policy, and nothing else', () => {
  const { policy, thresholds, thresholdSources, seed } = parse({
    prompt: 'a',
    candidateCount: 2,
    temperature: 0.5,
    sentenceEnd: 'token',
    thresholds: { safeReward: 0 },
    seed: 0,
  });
  assert.deepEqual(policy, { ...POLICIES.standard, candidateCount: 2, temperature: 0.5, sentenceEnd: 'token' });
  assert.deepEqual(thresholds, { unsafeClipScore: 0.16, safeReward: 0 });
  assert.deepEqual(thresholdSources, { unsafeClipScore: 'manifest', safeReward: 'request' });
  assert.equal(seed, 0);
});

test('a bar for candidates that are drawn first: with some that are, its own or those that hold already', () => {
  const { policy } = parse({ prompt: 'a', firstCandidateCount: 2, acceptAbove: -0.5 });
  assert.deepEqual(policy, { ...POLICIES.standard, firstCandidateCount: 2, acceptAbove: -0.5 });
  const two = overridePolicy(POLICIES.standard, { firstCandidateCount: 2 }, 'loadEta options');
  assert.equal(two.acceptAbove, null, 'the threshold of answers');
  assert.equal(overridePolicy(two, { acceptAbove: 1 }, 'request').acceptAbove, 1);
  assert.equal(overridePolicy({ ...two, acceptAbove: 1 }, { firstCandidateCount: 0 }, 'request').acceptAbove, 1);
});

test('loadEta refuses what it does not know', () => {
  const load = (value: unknown) => () => parseOptions(loadSchema, value, 'loadEta options');
  assert.throws(load({ policy: 'papers' }), {
    message: 'loadEta options: policy: expected standard, balanced, paper; received "papers".',
  });
  assert.throws(load({ model: 'x' }), { message: "loadEta options: unknown option 'model'. Did you mean 'models'?" });
  assert.throws(load({ contextSize: 0 }), {
    message: 'loadEta options: contextSize: expected an integer from 1 to 2147483647; received 0.',
  });
  assert.throws(load({ sequenceCount: 257 }), {
    message: 'loadEta options: sequenceCount: expected an integer from 1 to 256; received 257.',
  });
  // What the engine would refuse is refused before a model is loaded.
  assert.throws(load({ batchSize: 65_537 }), {
    message: 'loadEta options: batchSize: expected an integer from 1 to 65536; received 65537.',
  });
  assert.throws(load({ models: [] }), { message: /^loadEta options: models: expected a name, a folder, or paths/ });
  assert.equal(load({})().policy, 'standard');
});
