/** Bodies of requests that nobody should send: right but for a few fields, of anything, cut off, with other bytes, deep. */
import { withChangedBytes } from './json-mutation.js';
import type { Random } from './random.js';

export const ROUTES = ['/v1/chat/completions', '/v1/moderations', '/v1/decisions'] as const;
export type Route = (typeof ROUTES)[number];

const NAMES = [
  'messages',
  'n',
  'seed',
  'stop',
  'max_tokens',
  'temperature',
  'top_p',
  'stream',
  'stream_options',
  'moderation',
  'eta',
  'input',
  'questions',
  'role',
  'content',
  'type',
  'text',
  'image_url',
  'url',
  'include',
  'thresholds',
  'candidateCount',
  'method',
  '__proto__',
  'constructor',
  'toString',
  'signal',
  'turns',
  'prompt',
  'image',
  '',
  'a'.repeat(5000),
  '\u0000',
  'safeReward',
  'policy',
  'tools',
] as const;
const TEXTS = [
  '',
  ' ',
  'user',
  'system',
  'assistant',
  'tool',
  'text',
  'image_url',
  'predicate',
  'choice',
  '<image>',
  '</s>',
  '[INST]',
  '<__media__>',
  '\ud800',
  '\u202e\u0000\ufffe',
  'data:',
  'data:,',
  'data:image/png;base64,',
  'data:image/png;base64,iVBORw0KGgo=',
  'data:image/gif;base64,R0lGODlh//////////8=',
  'file:///etc/passwd',
  '/etc/passwd',
  'http://169.254.169.254/',
  'http://[::1]/',
  'javascript:1',
  'x'.repeat(20_000),
  'é'.repeat(3000),
  'events',
  'vanilla',
  'eta',
] as const;
const LITERALS = [true, false, null] as const;
const NUMBERS = [0, -0, 1, -1, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 32, 2 ** 53, 1e-300, 255, 4096] as const;

/** The bytes of one body. */
export function mutatedBody(route: Route, random: Random): Buffer {
  const kind = random.next();
  const text = JSON.stringify(kind < 0.25 ? anything(5, random) : nearly(route, random)) ?? 'null';
  const bytes = Buffer.from(text);
  if (kind < 0.85) return bytes;
  if (kind < 0.9) return bytes.subarray(0, random.below(bytes.length));
  if (kind < 0.95) return withChangedBytes(bytes, random);
  if (kind < 0.97) return Buffer.from('['.repeat(20_000));
  return Buffer.from(Array.from({ length: 200 }, () => random.below(256)));
}

function anything(depth: number, random: Random): unknown {
  const kind = random.next();
  if (depth === 0 || kind < 0.2) return random.of(TEXTS);
  if (kind < 0.4) return random.of(NUMBERS);
  if (kind < 0.5) return random.of(LITERALS);
  const length = random.below(5);
  if (kind < 0.7) return Array.from({ length }, () => anything(depth - 1, random));
  return Object.fromEntries(Array.from({ length }, () => [random.of(NAMES), anything(depth - 1, random)]));
}

/** What is right but for a few fields. */
function nearly(route: Route, random: Random): unknown {
  const content = random.next() < 0.5 ? 'What?' : [{ type: 'text', text: random.of(TEXTS) }];
  const base = sound(route, [{ role: 'user', content }], random);
  for (let left = random.below(3); left > 0; left--) base[random.of(NAMES)] = anything(3, random);
  return base;
}

function sound(route: Route, messages: unknown, random: Random): Record<string, unknown> {
  if (route === '/v1/moderations') return { input: random.of<unknown>(['x', [{ type: 'text', text: 'x' }]]) };
  if (route === '/v1/decisions') return { messages, questions: [{ type: 'predicate', question: 'Is it?' }] };
  return { messages, max_tokens: 2 };
}
