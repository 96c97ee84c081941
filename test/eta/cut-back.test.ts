/** Answers that a stop text ended, for a judge that looks at sequences: they end with the text, in its own tokens as far as they go. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { flatOf, partsOf } from '../../src/engine/content-chain.js';
import type { Context, Model, Sequence } from '../../src/engine/index.js';
import { cutBack, tokensOfText } from '../../src/eta/stopped-answer.js';
import { EXACT, started, tinyModel } from '../engine/fixture.js';

let model: Model;
let context: Context;
before(async () => {
  model = await tinyModel();
  context = await model.createContext(EXACT);
});
after(() => model.dispose());

/** One that repeats itself, begins with a blank, has characters of several bytes, and ends with white space. */
const ANSWERS = ['aaaaaaaa', ' the the the the the', ' A café – 日本 and 😀 more.', ' One. Two.\n\nThree. \n'];

const said = async (answer: string) => [...(await model.tokenize(answer, { isContinued: true }))];

function tokensBehind({ chain }: Sequence, count: number): number[] {
  assert.ok(chain !== null && chain !== 'unknown');
  return flatOf(partsOf(chain)).slice(count) as number[];
}

test('the fewest tokens that hold the text', async () => {
  for (const answer of ANSWERS) {
    const tokens = await said(answer);
    const whole = model.text(tokens).trimStart();
    const lengths = tokens.map((_, at) => model.text(tokens.slice(0, at + 1)).trimStart().length);
    for (let end = 0; end <= whole.length; end++) {
      const expected = end === 0 ? 0 : lengths.findIndex((length) => length >= end) + 1;
      assert.equal(tokensOfText(model, tokens, whole.slice(0, end)), expected, JSON.stringify([answer, end]));
    }
  }
});

test('cut at every place, a sequence holds the prompt and the text, and every token of its own that lies in the text', async () => {
  const prompt = await model.prompt([{ role: 'user', text: 'What is it?' }]);
  const demand = { cellCount: 512, sequenceCount: 2 };
  for (const answer of ANSWERS) {
    const tokens = await said(answer);
    const whole = model.text(tokens).trimStart();
    const { lease, sequence: root } = await started(context, prompt, demand);
    const promptCount = root.tokenCount;
    await root.prefill([Int32Array.from(tokens)]);
    for (let end = 0; end <= whole.length; end++) {
      const text = whole.slice(0, end).trimEnd();
      if (/\p{Surrogate}/u.test(text)) continue; // half a character is in no stop text
      const [sequence] = (await root.fork(1)) as [Sequence];
      await cutBack(model, sequence, tokens, whole.slice(0, end));
      const behind = tokensBehind(sequence, promptCount);
      const name = JSON.stringify({ text, behind: model.text(behind) });
      assert.equal(model.text(behind).trim(), text, name);
      const least = text === '' ? 0 : tokensOfText(model, tokens, text);
      const counts = Array.from({ length: least + 1 }, (_, count) => count);
      const own = counts.findLast((count) => text.startsWith(model.text(tokens.slice(0, count)).trimStart())) ?? 0;
      assert.deepEqual(behind.slice(0, own), tokens.slice(0, own), name);
      await sequence.release();
    }
    await lease.release();
  }
});
