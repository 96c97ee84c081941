/** Lines that are no requests, and what is said of each. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestOf } from '../../src/batch/digest.js';
import { MAX_REQUEST_BYTES, parseRequestLine } from '../../src/batch/request-line.js';
import { mainThreadMs } from '../stretch.js';
import { parse, request } from './request-line-fixture.js';

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
