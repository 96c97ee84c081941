/** A request stays the caller's: nothing of it is frozen or changed, and what becomes of it later changes no answer. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parseRequest } from '../../src/eta/request.js';
import type { Eta, EtaRequest } from '../../src/index.js';
import { POLICIES, POST_EVALUATION_PROMPT, SAFETY_PROMPT } from '../../src/policy/policy.js';
import { loadTiny, pictures, UNSAFE } from './tiny.js';

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

/** Every object in it that is frozen. */
function frozen(value: unknown, path = 'request'): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Object.isFrozen(value) && !ArrayBuffer.isView(value) ? [path] : [];
  return [...own, ...Object.entries(value).flatMap(([name, part]) => frozen(part, `${path}.${name}`))];
}

const pixels = () => ({ data: new Uint8Array(12), width: 2, height: 2 });

/** What callers put in the place of an array, and into a turn. */
const MISPLACED: readonly (readonly [request: () => Record<string, unknown>, message: string])[] = [
  [
    () => ({ prompt: 'a', images: new Uint8Array(3) }),
    'images: expected an array of pictures; received an object (Uint8Array).',
  ],
  [
    () => ({ prompt: 'a', images: Buffer.from('x') }),
    'images: expected an array of pictures; received an object (Buffer).',
  ],
  [() => ({ prompt: 'a', images: pixels() }), 'images: expected an array of pictures; received an object (Object).'],
  [
    () => ({ prompt: 'a', images: new Set(['a.png']) }),
    'images: expected an array of pictures; received an object (Set).',
  ],
  [
    () => ({ prompt: 'a', images: { 0: 'a.png', length: 1 } }),
    'images: expected an array of pictures; received an object (Object).',
  ],
  [
    () => ({ prompt: 'a', images: new URL('file:///a.png') }),
    'images: expected an array of pictures; received an object (URL).',
  ],
  [
    () => ({ prompt: 'a', image: ['a.png'] }),
    'image: expected a path, a URL, bytes or pixels { data, width, height }; received an array of 1.',
  ],
  [
    () => ({ prompt: 'a', image: new Set(['a.png']) }),
    'image: expected a path, a URL, bytes or pixels { data, width, height }; received an object (Set).',
  ],
  [() => ({ prompt: Buffer.from('a') }), 'prompt: expected a text; received an object (Buffer).'],
  [() => ({ turns: 'a question' }), 'turns: expected an array of turns; received "a question".'],
  [() => ({ turns: new Set() }), 'turns: expected an array of turns; received an object (Set).'],
  [() => ({ turns: new Uint8Array(2) }), 'turns: expected an array of turns; received an object (Uint8Array).'],
  [() => ({ turns: { role: 'user', text: 'a' } }), 'turns: expected an array of turns; received an object (Object).'],
  [() => ({ turns: ['a question'] }), 'turns.0: expected a turn { role, text, images }; received "a question".'],
  [
    () => ({ turns: [{ role: 'user', text: 'a', images: new Uint8Array(2) }] }),
    'turns.0.images: expected an array of pictures; received an object (Uint8Array).',
  ],
  [
    () => ({ turns: [{ role: 'user', text: 'a', images: pixels() }] }),
    'turns.0.images: expected an array of pictures; received an object (Object).',
  ],
  [
    () => ({ prompt: 'a', images: [3] }),
    'images.0: expected a path, a URL, bytes or pixels { data, width, height }; received 3.',
  ],
];

describe('what is refused', () => {
  for (const [request, message] of MISPLACED) {
    test(message, () => {
      const mine = request();
      assert.throws(() => parse(mine), {
        name: 'UsageError',
        code: 'ERR_INVALID_OPTION',
        message: `request: ${message}`,
      });
      assert.deepEqual(frozen(mine), []);
    });
  }
});

describe('what is answered', () => {
  let eta: Eta;
  before(async () => {
    eta = await loadTiny({ maxTokens: 12 });
  });
  after(() => eta.dispose());

  const make = () => ({
    turns: [
      {
        role: 'user' as 'user' | 'assistant',
        text: 'What is this?',
        images: [pathToFileURL(pictures[0]) as URL | string],
      },
      { role: 'assistant' as const, text: 'A square.' },
      { role: 'user' as const, text: 'And that?', images: [pictures[1] as string] },
    ],
    thresholds: { ...UNSAFE },
    whenStillUnsafe: 'return' as 'return' | 'refuse',
    interferencePrefix: 'As an AI assistant',
    seed: 4,
  });

  /** Everything that a caller can lay hands on. */
  function spoil(request: ReturnType<typeof make>): void {
    const [first, , last] = request.turns;
    const url = first?.images?.[0];
    if (url instanceof URL) url.pathname = '/nowhere.png';
    first?.images?.splice(0, 1, '/nowhere.png');
    if (last !== undefined) {
      last.text = 'Something else?';
      last.images = [];
    }
    request.turns.length = 1;
    request.thresholds.unsafeClipScore = 1;
    request.thresholds.safeReward = -1e6;
    Object.assign(request, { whenStillUnsafe: 'refuse', interferencePrefix: 'No', seed: 5 });
  }

  test('is left as it was, and may be frozen', async () => {
    const mine = make();
    await eta.respond(mine);
    assert.deepEqual(mine, make());
    assert.deepEqual(frozen(mine), []);
    const still = make();
    for (const part of [...still.turns, still.turns, still.thresholds, still]) Object.freeze(part);
    await eta.respond(still);
  });

  for (const [when, ask] of [
    [
      'after respond was called',
      async (request: EtaRequest, spoilIt: () => void) => {
        const answering = eta.respond(request);
        spoilIt();
        return await answering;
      },
    ],
    [
      'between stream and its first event',
      async (request: EtaRequest, spoilIt: () => void) => {
        const events = eta.stream(request);
        spoilIt();
        for await (const event of events) if (event.type === 'done') return event.result;
        return assert.fail('the stream ended without its result');
      },
    ],
    [
      'after the first event',
      async (request: EtaRequest, spoilIt: () => void) => {
        for await (const event of eta.stream(request)) {
          spoilIt();
          if (event.type === 'done') return event.result;
        }
        return assert.fail('the stream ended without its result');
      },
    ],
  ] as const) {
    test(`changed ${when}, it is answered as it was asked`, async () => {
      const expected = await eta.respond(make());
      const mine = make();
      let isSpoiled = false;
      const found = await ask(mine, () => {
        if (!isSpoiled) spoil(mine);
        isSpoiled = true;
      });
      const told = ({ text, verdict, trace: { thresholds }, usage: { promptTokenCount }, seed }: typeof found) =>
        ({ text, verdict, thresholds, promptTokenCount, seed }) as const;
      assert.deepEqual(told(found), told(expected));
    });
  }
});
