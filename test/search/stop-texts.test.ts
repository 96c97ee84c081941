/** Texts that end an answer: wherever they stand, in whatever pieces they come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StopTexts } from '../../src/search/index.js';
import { play, type Script } from './scripted-sequence.js';

test('the first that is complete ends the text, of several at once the longest', () => {
  const at = (text: string, ...stops: string[]) => new StopTexts(stops).find(text);
  assert.equal(at('one, two', ','), 3);
  assert.equal(at('one, two', 'x'), -1);
  assert.equal(at('abc', 'bc', 'abc'), 0, 'both are complete with c');
  assert.equal(at('abcd', 'abcd', 'bc'), 1, 'bc is complete first, before the other that began earlier');
  assert.equal(at('abab', 'ab'), 0);
  assert.equal(new StopTexts('ab').find('abab', 1), 2);
  assert.equal(new StopTexts([]).find('abab'), -1);
});

test('what may yet become one is held', () => {
  const open = (text: string, ...stops: string[]) => new StopTexts(stops).openCount(text);
  assert.equal(open('answer\nUs', '\nUser:'), 3);
  assert.equal(open('answer\nUser', '\nUser:', 'er!'), 5);
  assert.equal(open('answer', '\nUser:'), 0);
  assert.equal(open('aaa', 'aaab'), 3);
  assert.equal(open('', 'a'), 0);
  assert.equal(open('x', 'x'), 0, 'one that is complete is none that may become one');
});

/** One candidate a round, so that all is said by it. */
const said = (...texts: string[]): Script => texts.map((text, at) => [{ text, ends: at === texts.length - 1 }]);

test('a search stops in the sentence, across sentences, and in what stands before it', async () => {
  for (const [script, before, stop, text, rounds] of [
    [said('One two.', ' Three'), '', 'two', 'One ', 1],
    [said('One two.', ' Three.', ' Four'), '', '. Th', 'One two', 2],
    [said('One.', ' Two.', ' Three'), '', '. Two. Th', 'One', 3],
    [said(' and more.', ' Three'), 'As an AI', 'AI and', '', 1],
    [said(' One two.', ' Three'), '', ' ', ' One', 1], // white space before the answer is none of it
    [said('One.', ' Two'), '', 'x', 'One. Two', 2],
  ] as const) {
    const judged: string[] = [];
    let accepted = before.slice(0, before.length - new StopTexts(stop).openCount(before));
    const found = await play(script, {
      before,
      stops: new StopTexts(stop),
      judge: {
        rewards: async (texts) => {
          judged.push(accepted + (texts[0] ?? ''));
          return texts.map(() => 0);
        },
        clipScores: null,
        accept: (more) => {
          accepted += more;
        },
      },
    });
    const name = JSON.stringify(stop);
    assert.equal(found.rounds.length, rounds, name);
    assert.equal(found.isStopped, stop !== 'x', name);
    const whole = before === '' ? text : before.slice(0, before.indexOf('AI'));
    assert.equal(judged.at(-1), whole, `${name}: judged`);
    assert.equal(before === '' ? found.text : (before + found.text).slice(0, whole.length), whole, name);
    assert.ok(!judged.some((one) => one.includes(stop)) || stop === ' ', name);
  }
});

test('a candidate that stops ends the search when it wins, and not when it loses', async () => {
  const script: Script = [
    [{ text: 'Short STOP' }, { text: 'A longer one.' }],
    [
      { text: ' The rest is longer', ends: true },
      { text: ' No', ends: true },
    ],
  ];
  const texts = async (best: 'stopped' | 'longest') => {
    const found = await play(script, {
      stops: new StopTexts('STOP'),
      rewards: async (all) => all.map((text) => (best === 'longest' ? text.length : text.startsWith('Short') ? 9 : 0)),
    });
    return [found.text, found.isStopped, found.rounds[0]?.candidates.map(({ isFinal }) => isFinal)];
  };
  assert.deepEqual(await texts('stopped'), ['Short ', true, [true, false]]);
  assert.deepEqual(await texts('longest'), ['A longer one. The rest is longer', false, [true, false]]);
});

test('a candidate is decoded to its stop text and no further', async () => {
  const script: Script = [[{ text: 'One STOP and a long rest of the sentence.' }]];
  const found = await play(script, { stops: new StopTexts('STOP') });
  assert.deepEqual([found.text, found.tokenCount, found.sampledTokenCount], ['One ', 8, 8]);
  assert.equal(new StopTexts('STOP').isEmpty, false);
  assert.equal(new StopTexts([]).isEmpty, true);
});

test('of a text that grows, the end in which a stop text may have begun is kept', () => {
  const edges = (...stops: string[]) =>
    ['', 'S', 'STO', 'a STO', 'a longer text'].map((text) => new StopTexts(stops).edge(text));
  assert.deepEqual(edges('STOP', 'x'), ['', 'S', 'STO', 'STO', 'ext']);
  assert.deepEqual(edges('x'), ['', '', '', '', '']);
  assert.deepEqual(edges(), ['', '', '', '', '']);
});
