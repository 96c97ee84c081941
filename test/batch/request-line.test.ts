/** A line of requests: what it may say, and in which forms. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { parseOptions } from '../../src/options.js';
import { parse, request } from './request-line-fixture.js';

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
