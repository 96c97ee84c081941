/** Bodies of megabytes: read in steps, to exactly what a parser makes of them, while the event loop goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLargeJson } from '../../src/server/large-json.js';
import { loadTiny } from '../eta/tiny.js';
import { assertTurns } from '../stretch.js';
import { Asked } from './served.js';

const MIB = 2 ** 20;

async function read(bytes: Uint8Array): Promise<unknown> {
  return await (await readLargeJson(bytes)).whole();
}

/** Such texts, so long that each is read in several pieces, cut wherever it hurts. */
const UNITS: Readonly<Record<string, string>> = {
  'characters of two bytes': 'é',
  'characters of three': '漢',
  'characters of four': '😀',
  'escapes of six': '\\u6f22',
  'surrogates as escapes': '\\ud83d\\ude00',
  'half surrogates': '\\ud83d',
  'escaped backslashes': '\\\\',
  'backslashes before a u': '\\\\u12',
  'escaped slashes': 'AAAA\\/',
  'escaped quotes': '\\"',
  'a mark of byte order in the middle': 'a\ufeff',
  'all of it': 'aé漢😀\\n\\u6f22\\\\\\"\\ud83d\\ude00',
};

for (const [name, unit] of Object.entries(UNITS)) {
  test(`it is what JSON.parse gives: ${name}`, async () => {
    for (const shift of [0, 1, 2, 3, 4, 5]) {
      const long = `${'x'.repeat(shift)}${unit.repeat(Math.ceil((600 * 1024) / Buffer.byteLength(unit)))}`;
      const text = ` { "a" : "${long}", "b": ["short", "${long}" , null, 1.5e3], "${'n'.repeat(400)}": { "__proto__": "${long}" } } `;
      assert.deepEqual(await read(Buffer.from(text)), JSON.parse(text), `shifted by ${shift}`);
    }
  });
}

test('what is no JSON, and no UTF-8, is told from what is', async () => {
  const long = 'x'.repeat(2 * MIB);
  for (const [body, of] of [
    [`{"a":"${long}`, SyntaxError],
    [`{"a":"${long}"`, SyntaxError],
    [`{"a":"${long}\n"}`, SyntaxError],
    [`{"a":"${long}\\x"}`, SyntaxError],
    [`{"a":"${long}\\u12"}`, SyntaxError],
    [`"${long}\\"`, SyntaxError],
    [`{"${long}":1}"`, SyntaxError],
  ] as const)
    await assert.rejects(read(Buffer.from(body)), of, body.slice(-10));
  for (const bytes of [[0xff], [0xc3], Array.from({ length: 600 * 1024 }, () => 0x80)])
    await assert.rejects(
      read(
        Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(600 * 1024, 'a'), Buffer.from(bytes), Buffer.from('"}')]),
      ),
      TypeError,
    );
});

test('a large body that is not large by its texts is refused', async () => {
  const body = Buffer.from(`[${' '.repeat(5 * MIB)}]`);
  await assert.rejects(read(body), { code: 'ERR_INVALID_REQUEST', message: /at most 4194304 bytes beside texts/ });
});

const SIZE = 20 * MIB;
const filled = (unit: string) => `{"m":"${unit.repeat(Math.floor(SIZE / Buffer.byteLength(unit)))}"}`;
const BODIES: Readonly<Record<string, string>> = {
  'text of two bytes a character': filled('é'),
  'text of three': filled('漢'),
  'a picture, and a question that is not ASCII': `{"p":"${'A'.repeat(SIZE)}","q":"漢"}`,
  'nothing but escapes': filled('\\u6f22'),
  'nothing but line ends': filled('\\n'),
  'nothing but backslashes': filled('\\\\'),
  'nothing but quotes': filled('\\"'),
  'texts of a thousand characters': `[${`"${'é\\n'.repeat(256)}",`.repeat(19_000)}0]`,
  'texts that are almost long': `["${'A'.repeat(16 * MIB)}"${`,"${'x'.repeat(250)}"`.repeat(16_000)}]`,
};

for (const [name, body] of Object.entries(BODIES)) {
  test(`the event loop turns while 20 MiB are read: ${name}`, async () => {
    const bytes = Buffer.from(body);
    await assertTurns(() => read(bytes));
  });
}

/** What is no long text, behind one and before another. */
const RUNS: Readonly<Record<string, string>> = {
  blanks: ' ',
  'line ends': '\r\n',
  digits: '1',
  zeros: '0',
  commas: ',',
  colons: ':',
  'opening brackets': '[',
  'closing brackets': ']',
  'arrays in arrays': '[0,',
  'opening braces': '{"":',
  'closing braces': '}',
  quotes: '"',
  'empty texts': '"",',
  'texts and blanks': `"${'x'.repeat(300)}"${' '.repeat(1000)},`,
  'names and blanks': `"${'x'.repeat(300)}"${' '.repeat(1000)}:`,
  'values of a letter': '1,',
  backslashes: '\\',
  escapes: '\\n',
  'bytes of nothing': '\0',
  'bytes that are no character': '\xff',
};

for (const [name, unit] of Object.entries(RUNS)) {
  test(`the event loop turns while 19 MiB are read: nothing but ${name}`, async () => {
    const long = `"${'x'.repeat(300)}"`;
    const run = Buffer.alloc(19 * MIB, Buffer.from(unit, 'latin1'));
    for (const start of [`{"a":${long}`, `{"a":${long},"c":`]) {
      const bytes = Buffer.concat([Buffer.from(start), run, Buffer.from(`,"b":${long}}`)]);
      await assertTurns(() => read(bytes).catch(() => undefined), `behind ${start.slice(-5)}`);
    }
  });
}

test('the event loop turns while a server takes in 20 MiB, and refuses them', async () => {
  await using eta = await loadTiny();
  const asked = new Asked(eta);
  const bytes = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: '漢'.repeat(6 * MIB) }] }));
  await assertTurns(async () => {
    let at = 0;
    const body = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(bytes.subarray(at, at + 2 ** 16)));
        at += 2 ** 16;
        if (at >= bytes.length) controller.close();
      },
    });
    const reply = await asked.post('/v1/chat/completions', '', { body, duplex: 'half' } as RequestInit);
    assert.deepEqual([reply.status, reply.body['error'].code], [400, 'ERR_PROMPT_TOO_LONG']);
  });
});
