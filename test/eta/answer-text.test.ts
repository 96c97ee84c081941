/** Texts on their way out, with texts that end them: in whatever pieces they come, and whether they are held or not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerText } from '../../src/eta/answer-text.js';
import { StopTexts } from '../../src/search/index.js';

/** Pieces of random lengths. */
function* cuts(text: string, random: () => number): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const count = 1 + Math.floor(random() * 4);
    yield text.slice(at, at + count);
    at += count;
  }
}

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('in 3000 cuts of texts: what left is never taken back, and ends where the text read letter by letter ends', () => {
  let stopped = 0;
  for (let seed = 0; seed < 3000; seed++) {
    const random = generator(seed);
    const letters = (count: number) => Array.from({ length: count }, () => 'ab '[Math.floor(random() * 3)]).join('');
    const stops = Array.from({ length: 1 + Math.floor(random() * 3) }, () => letters(1 + Math.floor(random() * 4)));
    const said = letters(24);
    // Letter by letter, by ends alone.
    const text = said.trimStart();
    let expected = text;
    for (let end = 1; end <= text.length; end++) {
      const ended = stops.filter((stop) => text.slice(0, end).endsWith(stop)).sort((a, b) => b.length - a.length);
      if (ended[0] === undefined) continue;
      expected = text.slice(0, end - ended[0].length);
      break;
    }
    let given = '';
    const answer = new AnswerText((piece) => {
      given += piece;
      assert.ok(expected.startsWith(given), `${JSON.stringify(given)} of ${JSON.stringify(expected)}`);
    }, new StopTexts(stops));
    if (random() < 0.5) answer.open();
    for (const piece of cuts(said, random)) answer.push(piece);
    answer.end();
    answer.open();
    assert.equal(given, expected.trimEnd(), JSON.stringify({ said, stops }));
    assert.equal(answer.text, given);
    assert.equal(answer.isStopped, expected !== text);
    if (answer.isStopped) stopped++;
  }
  assert.ok(stopped > 1500 && stopped < 3000, `${stopped} of 3000 were stopped`);
});

test('what might have become a stop text leaves once nothing comes any more, or a stop text has come', () => {
  const leaving = (pieces: readonly string[], ...stops: string[]) => {
    const given: string[] = [];
    const answer = new AnswerText((piece) => given.push(piece), new StopTexts(stops));
    answer.open();
    for (const piece of pieces) answer.push(piece);
    const before = given.join('');
    answer.end();
    return [before, given.join('')];
  };
  assert.deepEqual(leaving(['Say ST'], 'STOP'), ['Say', 'Say ST']);
  assert.deepEqual(leaving(['Say ST', 'OP', ' no'], 'STOP'), ['Say', 'Say']);
  // What stands before one may itself be the beginning of another.
  assert.deepEqual(leaving(['Say STx'], 'x', 'STOP'), ['Say ST', 'Say ST']);
  assert.deepEqual(leaving(['Say ', 'ST', 'AY'], 'STOP'), ['Say STAY', 'Say STAY']);
  assert.deepEqual(leaving(['Say ST \n'], 'STOP', ' \n\n'), ['Say ST', 'Say ST']);
});

test('behind a stop text nothing is taken, and white space before it is dropped', () => {
  const given: string[] = [];
  const answer = new AnswerText((piece) => given.push(piece), new StopTexts('END'));
  for (const piece of [' One', ' two \n', 'END', ' three']) answer.push(piece);
  assert.deepEqual([given, answer.text, answer.isStopped], [[], 'One two', true]);
  answer.open();
  answer.push(' four');
  assert.deepEqual(given, ['One two']);
});

test('what is let out at settled places is the beginning of the whole, and something else goes on behind it', () => {
  let checked = 0;
  for (let seed = 0; seed < 3000; seed++) {
    const random = generator(seed);
    const letters = (count: number) => Array.from({ length: count }, () => 'ab '[Math.floor(random() * 3)]).join('');
    const stops = new StopTexts([letters(2), letters(3)].filter((stop) => stop.trim() !== ''));
    const given: string[] = [];
    const answer = new AnswerText((piece) => given.push(piece), stops);
    for (const piece of cuts(letters(20), random)) {
      answer.push(piece);
      if (answer.isStopped || random() < 0.5 || !answer.isSettled) continue;
      answer.openTo(answer.text);
      assert.equal(given.join(''), answer.text);
      checked++;
    }
    const left = given.join('');
    assert.ok(answer.text.startsWith(left));
    const other = new AnswerText((piece) => given.push(piece), stops, left);
    const more = ` ${letters(6)}`;
    for (const piece of cuts(more, random)) other.push(piece);
    assert.equal(given.join(''), left, 'held again');
    other.end();
    other.open();
    const at = stops.find(left + more, left.length === 0 ? more.length - more.trimStart().length : 0);
    const expected = at < 0 ? left + more : (left + more).slice(0, at);
    assert.equal(other.text, left === '' ? expected.trim() : expected.trimEnd(), JSON.stringify({ left, more, stops }));
    assert.equal(given.join(''), other.text);
  }
  assert.ok(checked > 1500, `${checked}`);
});
