import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_REQUEST_BYTES, parseRequestLine } from '../../src/batch/request-line.js';

const parse = (text: string | Buffer, number = 17) => {
  const bytes = Buffer.from(text);
  return parseRequestLine({ number, offset: 0, bytes, byteCount: bytes.length, endsInNewline: true }, '/data/set');
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
    ['an id that is a fraction', '{"id":1.5,"prompt":"p"}', null, 'ERR_INVALID_LINE', /received 1\.5/],
    ['an id that is null', '{"id":null,"prompt":"p"}', null, 'ERR_INVALID_LINE', /received null/],
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
      '{"id":"a","messages":[{"role":"user","content":[{"type":"video"}]}]}',
      'a',
      'ERR_INVALID_OPTION',
      /messages\.0\.content/,
    ],
    ['a signal', '{"id":"a","prompt":"p","signal":1}', 'a', 'ERR_UNKNOWN_OPTION', /signal/],
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

  test('a line beyond the limit is refused', () => {
    const line = parseRequestLine(
      { number: 3, offset: 0, bytes: null, byteCount: MAX_REQUEST_BYTES + 1, endsInNewline: true },
      '.',
    );
    assert.ok('error' in line, 'expected a refusal');
    assert.match(line.error.message, /at most 67108864 bytes, received one of 67108865/);
  });
});
