/** Options with values of other kinds: with getters that throw, proxies, without a prototype, huge. */
import type { Random } from './random.js';

const hostile = () => {
  throw new TypeError('a getter that throws');
};
const ODD: readonly (() => unknown)[] = [
  ...[
    null,
    undefined,
    true,
    0,
    -0,
    -1,
    1.5,
    2 ** 31,
    2 ** 53,
    1e308,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    10n,
    Symbol('s'),
  ],
  ...['', ' ', '\u001b[31m\u202e', '\ud800', 'x'.repeat(100_000), '__proto__', 'eta', 'vanilla', '1', 'auto'],
].map((value) => () => value);
const MADE: readonly ((random: Random) => unknown)[] = [
  () => [],
  () => ({}),
  () => Object.create(null),
  () => Object.assign(Object.create(null), { a: 1 }),
  () => new Proxy({}, { get: hostile, ownKeys: hostile, has: hostile, getPrototypeOf: hostile }),
  () => new Proxy([], { get: hostile }),
  () => Object.defineProperty({}, 'role', { get: hostile, enumerable: true }),
  () => Object.defineProperty({}, 'constructor', { get: hostile, enumerable: true }),
  () => () => undefined,
  () => new Map([['a', 1]]),
  () => new Date(Number.NaN),
  () => new Uint8Array(4),
  () => new Array(5000),
  () => AbortSignal.abort(),
  () => ({ aborted: false, addEventListener: hostile, removeEventListener: hostile, reason: null }),
  () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    return circle;
  },
  (random) => ({ [random.of(NAMES)]: oddValue(random) }),
  (random) => [oddValue(random), oddValue(random)],
];
const NAMES: readonly string[] = [
  ...[
    'prompt',
    'image',
    'images',
    'turns',
    'role',
    'text',
    'method',
    'seed',
    'stop',
    'maxTokens',
    'temperature',
    'topK',
  ],
  ...[
    'thresholds',
    'safeReward',
    'unsafeClipScore',
    'candidateCount',
    'signal',
    'reuse',
    'models',
    'languageModel',
    'projector',
  ],
  ...[
    'clip',
    'rewardModel',
    'policy',
    'contextSize',
    'threadCount',
    'decision',
    'guard',
    'device',
    'onNotice',
    'onProgress',
  ],
  ...[
    'requests',
    'results',
    'concurrency',
    'ordered',
    'eta',
    'path',
    'settings',
    'width',
    'height',
    'data',
    '__proto__',
    'nosuch',
  ],
];

function oddValue(random: Random): unknown {
  return random.below(2) === 0 ? random.of(ODD)() : random.of(MADE)(random);
}

/** The sound options with one to three that are not; sometimes all of them. */
export function oddOptions(sound: Readonly<Record<string, unknown>>, random: Random): unknown {
  if (random.below(12) === 0) return oddValue(random);
  const made: Record<string, unknown> = { ...sound };
  const names = [...Object.keys(sound), ...NAMES];
  for (let left = 1 + random.below(3); left > 0; left--) {
    const name = random.of(names);
    if (random.below(10) === 0)
      Object.defineProperty(made, name, { get: hostile, enumerable: true, configurable: true });
    else
      Object.defineProperty(made, name, {
        value: oddValue(random),
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return made;
}
