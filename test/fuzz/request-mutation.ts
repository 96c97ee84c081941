/** JSON texts that are nearly a request: changed by structure, then by characters and bytes. */
import type { Random } from './random.js';

/** What stands for a value, as JSON text: types swapped, numbers beyond all, names of every object, halves of characters. */
const ODD: readonly string[] = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1.5', '1e308', '1e999', '-1e999', '9007199254740993', '4294967296'],
  ...['""', '" "', '"\\u0000"', '"\\ud800"', '"\\u202e"', '"\\u009b31m"', '"__proto__"', '"constructor"', '"NaN"'],
  ...[
    '[]',
    '{}',
    '[null]',
    '[[]]',
    '[{}]',
    '{"__proto__":{"a":1}}',
    '{"constructor":null}',
    '{"toString":1}',
    '[1,"a",null]',
  ],
  ...[
    '{"type":"text","text":"Hi"}',
    '{"type":"video_url","video_url":{"url":"a.mp4"}}',
    '{"url":"a.png"}',
    '"data:image/png;base64,AA=="',
  ],
];
const NAMES: readonly string[] = [
  ...[
    'id',
    'custom_id',
    'question_id',
    'prompt',
    'image',
    'images',
    'turns',
    'messages',
    'seed',
    'method',
    'stop',
    'body',
  ],
  ...[
    'maxTokens',
    'max_tokens',
    'temperature',
    'topK',
    'thresholds',
    'candidateCount',
    'signal',
    'role',
    'content',
    'type',
  ],
  ...[
    'text',
    'image_url',
    'url',
    'source',
    'data',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'reuse',
    '',
    'prompt ',
  ],
];

/** JSON text of a value, with changes: about one in `1 / rate` values, and fields added, doubled or renamed. */
export function mutatedRequest(value: unknown, random: Random, rate = 0.12): string {
  if (random.next() < rate) return oddJson(random);
  if (Array.isArray(value)) {
    const items = value.map((item) => mutatedRequest(item, random, rate));
    if (random.next() < rate) items.push(oddJson(random));
    return `[${items.join(',')}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, field]) => {
    const called = random.next() < rate / 3 ? random.of(NAMES) : name;
    return `${JSON.stringify(called)}:${mutatedRequest(field, random, rate)}`;
  });
  if (random.next() < rate) fields.push(`${JSON.stringify(random.of(NAMES))}:${oddJson(random)}`);
  if (random.next() < rate / 4 && fields.length > 0) fields.push(random.of(fields)); // the same name twice
  return `{${fields.join(',')}}`;
}

function oddJson(random: Random): string {
  const kind = random.below(20);
  if (kind === 0) return '['.repeat(200) + ']'.repeat(200);
  if (kind === 1) return `${'{"a":'.repeat(150)}1${'}'.repeat(150)}`;
  if (kind === 2) return JSON.stringify('x'.repeat(random.below(3000)));
  if (kind === 3) return `1${'0'.repeat(random.below(400))}`;
  return random.of(ODD);
}

/** Bytes of a line, sometimes with a mark in front, a byte lost, changed or put in that is no UTF-8; never a line end. */
export function mutatedLine(text: string, random: Random): Buffer {
  const bytes = [...Buffer.from(text)];
  const kind = random.below(12);
  const at = random.below(bytes.length + 1);
  if (kind === 0) bytes.splice(at, 0, random.of([0xff, 0xc0, 0x80, 0xed, 0xf5, 0]));
  if (kind === 1) bytes.splice(at, 1 + random.below(3));
  if (kind === 2) bytes.unshift(0xef, 0xbb, 0xbf);
  if (kind === 3) bytes.length = at;
  if (kind === 4) bytes.push(...Buffer.from(random.of([' ', '\r', ',', '}', ']', 'null', '\u2028'])));
  return Buffer.from(bytes.filter((byte) => byte !== 0x0a));
}
