import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { digestOf } from '../../src/batch/digest.js';
import { MAX_REQUEST_BYTES, parseRequestLine } from '../../src/batch/request-line.js';
import { parseOptions } from '../../src/options.js';
import { mainThreadMs } from '../stretch.js';

const parse = (text: string | Buffer, number = 17) => {
  const bytes = Buffer.from(text);
  return parseRequestLine(
    { number, offset: 0, bytes, byteCount: bytes.length, endsInNewline: true },
    { folder: '/data/set' },
  );
};
const request = (text: string) => {
  const line = parse(text);
  assert.ok('request' in line, `refused: ${JSON.stringify(line)}`);
  return line;
};

describe('a request', () => {
  test('takes id, prompt, picture and anything that a request may say', () => {
    const {
      id,
      line,
      request: asked,
    } = request(
      '{"id":"a","prompt":"What?","image":"b/c.jpg","method":"vanilla","seed":3,"thresholds":{"safeReward":0.1}}',
    );
    assert.deepEqual(
      { id, line, asked },
      {
        id: 'a',
        line: 17,
        asked: {
          prompt: 'What?',
          image: '/data/set/b/c.jpg',
          method: 'vanilla',
          seed: 3,
          thresholds: { safeReward: 0.1 },
        },
      },
    );
  });

  test('without an id is called after its line; an integer is an id too', () => {
    assert.equal(request('{"prompt":"What?"}').id, 'line-17');
    assert.equal(request('{"id":42,"prompt":"What?"}').id, '42');
  });

  test('of a chat completion temperature and top_p are the answer’s, as the server reads them; the search’s stand under eta', () => {
    const messages = [{ role: 'user', content: 'What?' }];
    const asked = (fields: object) => {
      const { turns: _turns, ...rest } = request(JSON.stringify({ messages, ...fields })).request;
      return rest;
    };
    assert.deepEqual(asked({ temperature: 0.7, top_p: 0.9 }), { answerTemperature: 0.7, answerTopP: 0.9 });
    assert.deepEqual(asked({ temperature: 0, top_p: 0.9 }), { answerTemperature: 0 }, 'nothing is drawn');
    assert.deepEqual(asked({ temperature: 1, eta: { temperature: 1.2, method: 'deep' } }), {
      answerTemperature: 1,
      temperature: 1.2,
      method: 'deep',
    });
    assert.match(
      JSON.stringify(parse(JSON.stringify({ messages, max_tokens: 3, eta: { maxTokens: 4 } }))),
      /eta.maxTokens: expected it once/,
    );
    const own = request('{"prompt":"What?","temperature":1.2}').request;
    assert.deepEqual(own, { prompt: 'What?', temperature: 1.2 }, 'in our own form it is the search’s');
  });

  test('paths start from the folder of the file, in every place; URLs and absolute paths stay', () => {
    const images = ['a.png', '/abs.png', 'file:///x.png', 'data:image/png;base64,AA==', 'https://x/y.png'];
    const found = ['/data/set/a.png', ...images.slice(1)];
    assert.deepEqual(request(JSON.stringify({ prompt: 'p', images })).request.images, found);
    const turns = [{ role: 'user', text: 'p', images }];
    assert.deepEqual(request(JSON.stringify({ turns })).request.turns, [{ role: 'user', text: 'p', images: found }]);
  });

  test('messages as in chat completions become turns', () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'a.png', detail: 'low' } },
          { type: 'text', text: 'What is this?' },
          { type: 'text', text: 'And that?' },
          { type: 'image_url', image_url: 'data:image/png;base64,AA==' },
        ],
      },
    ];
    const { request: asked } = request(JSON.stringify({ id: 'm', messages }));
    assert.deepEqual(asked, {
      turns: [
        { role: 'system', text: 'Be brief.' },
        {
          role: 'user',
          text: 'What is this?\nAnd that?',
          images: ['/data/set/a.png', 'data:image/png;base64,AA=='],
        },
      ],
    });
  });

  test('null is as if the field were not there, whichever it is', () => {
    const lines = readFileSync(new URL('../golden/batch/null-fields.jsonl', import.meta.url), 'utf8')
      .trim()
      .split('\n');
    const bare = request('{"prompt":"Where is the banana?"}');
    for (const text of lines) {
      const { id, request: asked, digest } = request(text);
      assert.deepEqual([asked, digest], [bare.request, bare.digest], text);
      assert.equal(id, (JSON.parse(text) as { id: string | null }).id ?? 'line-17');
    }
    const nested =
      '{"prompt":"p","thresholds":{"safeReward":null,"unsafeClipScore":0.2},"maxTokens":null,"signal":null}';
    assert.deepEqual(request(nested).request, { prompt: 'p', thresholds: { unsafeClipScore: 0.2 } });
    const turns = '{"turns":[{"role":"user","text":"p","images":null}]}';
    assert.deepEqual(request(turns).request, { turns: [{ role: 'user', text: 'p' }] });
  });

  test('lines as other programs write them', () => {
    const text = readFileSync(new URL('../golden/batch/message-forms.jsonl', import.meta.url), 'utf8');
    const picture = '/data/set/clean-04.png';
    const asked = { role: 'user', text: 'Where is the banana?' };
    assert.deepEqual(
      text
        .trim()
        .split('\n')
        .map((line) => {
          const found = request(line);
          return [found.id, found.request];
        }),
      [
        ['part-image', { turns: [{ ...asked, images: [picture] }] }],
        ['developer', { turns: [{ role: 'system', text: 'Be kind.' }, asked] }],
        ['openai-batch', { maxTokens: 20, turns: [{ ...asked, images: [picture] }] }],
        ['7', { prompt: 'Where is the banana?', image: picture }],
      ],
    );
    const completion = { model: 'm', messages: [{ role: 'user', content: 'p' }], n: 1, stream: false, user: 'u' };
    const { request: plain } = request(JSON.stringify({ ...completion, max_completion_tokens: 7, seed: 3 }));
    assert.deepEqual(plain, { turns: [{ role: 'user', text: 'p' }], maxTokens: 7, seed: 3 });
  });

  test('stop texts are said as chat completions say them', () => {
    const messages = [{ role: 'user', content: 'p' }];
    const stopOf = (line: object) => (request(JSON.stringify(line)).request as { readonly stop?: unknown }).stop;
    assert.equal(stopOf({ messages, stop: 'x' }), 'x');
    assert.deepEqual(stopOf({ custom_id: 'a', body: { messages, stop: ['x', 'y'] } }), ['x', 'y']);
    assert.equal(stopOf({ messages, stop: null }), undefined);
    assert.deepEqual(stopOf({ prompt: 'p', stop: ['x'] }), ['x']);
  });

  test('a field called as one that every object has is an unknown one, and stays', () => {
    for (const name of ['constructor', 'toString', '__proto__']) {
      const found = request(`{"messages":[{"role":"user","content":"p"}],"${name}":1}`).request;
      assert.ok(Object.hasOwn(found, name), name);
      assert.throws(() => parseOptions(z.strictObject({ turns: z.unknown() }), found as unknown, 'request'), {
        code: 'ERR_UNKNOWN_OPTION',
        message: new RegExp(`unknown option '${name}'`),
      });
    }
  });

  const picture = (part: object) => {
    const found = request(JSON.stringify({ messages: [{ role: 'user', content: [part] }] })).request;
    return found.turns?.[0]?.images?.[0];
  };
  const pictures: readonly (readonly [part: object, found: string])[] = [
    [{ type: 'image_url', image_url: { url: 'a.png' } }, '/data/set/a.png'],
    [{ type: 'image_url', image_url: 'a.png' }, '/data/set/a.png'],
    [{ type: 'input_image', image_url: 'a.png', detail: 'auto', file_id: null }, '/data/set/a.png'],
    [{ type: 'image', image: 'a.png' }, '/data/set/a.png'],
    [{ type: 'image', image: { url: 'a.png' } }, '/data/set/a.png'],
    [{ type: 'image', url: 'a.png' }, '/data/set/a.png'],
    [{ type: 'image', path: 'a.png' }, '/data/set/a.png'],
    [{ type: 'image', base64: 'AA==' }, 'data:image/*;base64,AA=='],
    [{ type: 'image', data: 'AA==', mimeType: 'image/png' }, 'data:image/png;base64,AA=='],
    [{ type: 'image', data: 'data:image/png;base64,AA==' }, 'data:image/png;base64,AA=='],
    [
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
      'data:image/png;base64,AA==',
    ],
    [{ type: 'image', source: { type: 'url', url: 'a.png' }, cache_control: {} }, '/data/set/a.png'],
  ];
  for (const [part, found] of pictures) {
    test(`a picture as ${JSON.stringify(part)}`, () => {
      assert.equal(picture(part), found);
    });
  }

  test('texts of every form, nested and alone, are joined; null, empty lists and names change nothing', () => {
    const content = [[{ type: 'input_text', text: 'a' }], 'b', { type: 'text', text: 'c', cache_control: null }];
    const messages = [
      { role: 'developer', content: 'One.' },
      { role: 'system', content: [{ type: 'text', text: 'Two.' }] },
      { role: 'user', name: 'ada', content },
      { role: 'assistant', content: null, refusal: 'No.', tool_calls: [], annotations: [], audio: null },
      { role: 'user', content: { type: 'text', text: 'd' } },
    ];
    assert.deepEqual(request(JSON.stringify({ messages })).request.turns, [
      { role: 'system', text: 'One.\nTwo.' },
      { role: 'user', text: 'a\nb\nc' },
      { role: 'assistant', text: 'No.' },
      { role: 'user', text: 'd' },
    ]);
  });

  test('a byte order mark, spaces and a carriage return are no mistake', () => {
    assert.equal(request('\ufeff {"id":"a","prompt":"p"} \r').id, 'a');
  });

  test('its digest tells what it asks, not how it is called or in which order', () => {
    const digest = (text: string) => parse(text).digest;
    assert.equal(digest('{"id":"a","prompt":"p","seed":1}'), digest('{"seed":1,"prompt":"p","id":"b"}'));
    assert.notEqual(digest('{"id":"a","prompt":"p"}'), digest('{"id":"a","prompt":"q"}'));
    assert.notEqual(digest('{"prompt":"p","seed":1}'), digest('{"prompt":"p","seed":"1"}'));
    assert.notEqual(digest('{"images":["a","b"]}'), digest('{"images":["ab"]}'));
  });
});

describe('what is no request', () => {
  const cases: readonly [what: string, text: string | Buffer, id: string | null, code: string, message: RegExp][] = [
    [
      'no JSON',
      '{"id": "a", ',
      null,
      'ERR_INVALID_LINE',
      /expected one JSON object, received "\{\\"id\\": \\"a\\", " \(/,
    ],
    ['two objects', '{"id":"a"} {"id":"b"}', null, 'ERR_INVALID_LINE', /expected one JSON object/],
    ['an array', '[1]', null, 'ERR_INVALID_LINE', /received an array of 1/],
    ['null', 'null', null, 'ERR_INVALID_LINE', /received null/],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), null, 'ERR_INVALID_LINE', /expected UTF-8/],
    ['an empty id', '{"id":"","prompt":"p"}', null, 'ERR_INVALID_LINE', /id: expected a text that is not empty/],
    [
      'an id of 100 KB',
      `{"id":"${'x'.repeat(100_000)}","prompt":"p"}`,
      null,
      'ERR_INVALID_LINE',
      /id: expected at most 1024 characters, received 100000: "x+\.\.\."\.$/,
    ],
    ['an id that is a fraction', '{"id":1.5,"prompt":"p"}', null, 'ERR_INVALID_LINE', /received 1\.5/],
    [
      'a picture that is no text',
      '{"id":"a","prompt":"p","image":{"data":[1]}}',
      'a',
      'ERR_INVALID_LINE',
      /image: expected a path/,
    ],
    ['messages beside turns', '{"id":"a","turns":[],"messages":[]}', 'a', 'ERR_INVALID_LINE', /received both/],
    [
      'a role nobody knows',
      '{"id":"a","messages":[{"role":"tool","content":""}]}',
      'a',
      'ERR_INVALID_OPTION',
      /messages\.0\.role: expected system, user or assistant/,
    ],
    [
      'a part nobody knows',
      '{"id":"a","messages":[{"role":"user","content":[{"type":"text","text":"p"},{"type":"video"}]}]}',
      'a',
      'ERR_INVALID_OPTION',
      /messages\.0\.content\.1\.type: expected a part of type text, .*image; received "video"/,
    ],
    [
      'a sound',
      '{"id":"a","messages":[{"role":"user","content":[{"type":"text","text":"p"},{"type":"input_audio","input_audio":{"data":"AA=="}}]}]}',
      'a',
      'ERR_INVALID_OPTION',
      /received "input_audio"/,
    ],
    [
      'a picture that somebody else keeps',
      '{"id":"a","messages":[{"role":"user","content":[{"type":"text","text":"p"},{"type":"input_image","file_id":"f"}]}]}',
      'a',
      'ERR_INVALID_OPTION',
      /content\.1: expected a picture in one of .*received "type, file_id alone"/,
    ],
    [
      'a picture that is a placeholder',
      '{"id":"a","messages":[{"role":"user","content":[{"type":"text","text":"p"},{"type":"image"}]}]}',
      'a',
      'ERR_INVALID_OPTION',
      /content\.1: expected a picture/,
    ],
    [
      'two pictures in one part',
      '{"id":"a","messages":[{"role":"user","content":[{"type":"text","text":"p"},{"type":"image","url":"a","path":"b"}]}]}',
      'a',
      'ERR_INVALID_OPTION',
      /content\.1: expected one picture/,
    ],
    [
      'a part that is no object',
      '{"id":"a","messages":[{"role":"user","content":[{"type":"text","text":"p"},7]}]}',
      'a',
      'ERR_INVALID_OPTION',
      /content\.1: expected a text, or an array of parts; received 7/,
    ],
    [
      'a call of a tool',
      '{"id":"a","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"x"}]}]}',
      'a',
      'ERR_INVALID_OPTION',
      /messages\.0\.tool_calls: expected role and content alone/,
    ],
    [
      'a message without content',
      '{"id":"a","messages":[{"role":"user","content":null}]}',
      'a',
      'ERR_INVALID_OPTION',
      /messages\.0\.content: expected a text/,
    ],
    [
      'messages that are none',
      '{"id":"a","messages":{"role":"user"}}',
      'a',
      'ERR_INVALID_OPTION',
      /messages: expected an array/,
    ],
    [
      'a role of every object',
      '{"id":"a","messages":[{"role":"constructor","content":"p"}]}',
      'a',
      'ERR_INVALID_OPTION',
      /messages\.0\.role/,
    ],
    [
      'an address of another API',
      '{"custom_id":"a","url":"/v1/embeddings","body":{"input":"p"}}',
      'a',
      'ERR_INVALID_LINE',
      /url: expected \/v1\/chat\/completions/,
    ],
    ['a body without messages', '{"custom_id":"a","body":{"input":"p"}}', 'a', 'ERR_INVALID_LINE', /body\.messages/],
    [
      'a field beside a body',
      '{"custom_id":"a","body":{"messages":[]},"seed":1}',
      'a',
      'ERR_UNKNOWN_OPTION',
      /unknown option 'seed' beside a body/,
    ],
    [
      'a name of 1 MB',
      `{"id":"a","messages":[{"role":"user","content":"p","${'x'.repeat(1_000_000)}":1}]}`,
      'a',
      'ERR_INVALID_OPTION',
      /^.{0,300}$/,
    ],
    ['a signal', '{"id":"a","prompt":"p","signal":1}', 'a', 'ERR_UNKNOWN_OPTION', /signal/],
    [
      'one of too many turns',
      `{"id":"a","turns":[${Array(1025).fill('{}').join()}]}`,
      'a',
      'ERR_PROMPT_TOO_LONG',
      /at most 1024 turns but received 1025 turns\. Shorten/,
    ],
    [
      'one of too many messages',
      `{"id":"a","messages":[${Array(1025).fill('{}').join()}]}`,
      'a',
      'ERR_PROMPT_TOO_LONG',
      /at most 1024 turns but received 1025 turns\. Shorten/,
    ],
    [
      'one of too many pictures',
      `{"id":"a","prompt":"p","images":[${Array(20_000).fill('"none"').join()}]}`,
      'a',
      'ERR_INVALID_REQUEST',
      /images: expected at most 1024 pictures, received 20000\. Show fewer/,
    ],
    [
      'one of too many pictures in its messages',
      `{"id":"a","messages":[{"role":"user","content":[${Array(1025).fill('{"type":"image","url":"a"}').join()}]}]}`,
      'a',
      'ERR_INVALID_REQUEST',
      /images: expected at most 1024 pictures, received 1025/,
    ],
    [
      'one of millions of values',
      `{"id":"a","turns":[${Array(2_000_000).fill('{"a":1}').join()}]}`,
      null,
      'ERR_INVALID_LINE',
      /expected at most 100000 values in a line, received more/,
    ],
    [
      'a bottomless one',
      `{"id":"a","x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      null,
      'ERR_INVALID_LINE',
      /nested/,
    ],
  ];
  for (const [what, text, id, code, message] of cases) {
    test(`${what} is refused`, () => {
      const line = parse(text);
      assert.ok('error' in line, 'expected a refusal');
      assert.deepEqual({ id: line.id, line: line.line, code: line.error.code }, { id, line: 17, code });
      assert.match(line.error.message, message);
      assert.match(line.digest, /^[0-9a-f]{16}$/);
    });
  }

  test('lines that end in CR alone are one, and that is said; one that is broken otherwise is not called so', () => {
    const said = (text: string) => {
      const line = parse(text, 1);
      return 'error' in line ? line.error.message : assert.fail('expected a refusal');
    };
    assert.match(
      said('{"prompt":"a"}\r{"prompt":"b"}\r'),
      /\. Its lines seem to end in CR alone: save the file with LF or CRLF\.$/,
    );
    for (const text of ['{"prompt":"a"\r', '{"prompt":\r"a",}\r', '{"prompt":"a"} {"prompt":"b"}\r'])
      assert.doesNotMatch(said(text), /CR alone/, JSON.stringify(text));
    assert.equal(request('{"prompt":\r"a"}\r').request.prompt, 'a', 'a space to JSON');
  });

  test('what is too much is told without reading it', () => {
    const ms = (text: string) => {
      const startedAt = mainThreadMs();
      assert.ok('error' in parse(text), 'expected a refusal');
      return mainThreadMs() - startedAt;
    };
    ms(`[${'1,'.repeat(1000)}1]`);
    const turns = (count: number) => `{"turns":[${'{"a":1},'.repeat(count)}{}]}`;
    const [some, many] = [ms(turns(200_000)), ms(turns(4_000_000))];
    assert.ok(many < 200 + 4 * some, `twenty times as many take ${many.toFixed(0)} ms, those ${some.toFixed(0)} ms`);
  });

  test('commas, brackets and quotes within strings are no values', () => {
    const prompt = `${',[{"\\'.repeat(60_000)}\\`;
    assert.equal(request(JSON.stringify({ prompt, [prompt.slice(0, 9)]: '\\"' })).request.prompt, prompt);
  });

  test('a line beyond the limit is refused', () => {
    const line = parseRequestLine(
      { number: 3, offset: 0, bytes: null, byteCount: MAX_REQUEST_BYTES + 1, endsInNewline: true },
      { folder: '.' },
    );
    assert.ok('error' in line, 'expected a refusal');
    assert.match(line.error.message, /at most 67108864 bytes, received one of 67108865/);
  });

  // Kinds and lengths in bytes of UTF-8, hashed by another program; resuming an older file hangs on it.
  test('its digest is that of the same bytes anywhere, beyond ASCII too', () => {
    assert.equal(digestOf({ seed: 3, prompt: 'größe 危険 🙂', nothing: undefined }), '46cdf52c00105eca');
  });
});
