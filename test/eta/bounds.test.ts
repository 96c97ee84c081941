/** What just fits is taken, and a token more is refused with the very figures: of answers, texts and questions. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Model, type NativePart } from '../../src/engine/index.js';
import { decodeImage } from '../../src/image/index.js';
import { type DecideQuestion, type Eta, type EtaRequest, loadEta } from '../../src/index.js';
import { asked, formFile, tinyForm } from '../decision/guards.js';
import { golden } from '../engine/fixture.js';
import { assertFreed, loadTiny, pictures, tinyModels } from './tiny.js';

const [image] = pictures;
const CELLS = 256;

let self: Eta;
let model: Model;
before(async () => {
  const next = asked({ prompt: { form: 'next-turn', user: 'Is it?' } });
  const decision = formFile(tinyForm({ asks: 'self', answer: next, picture: null }));
  const languageModel = golden('tiny-chat.gguf');
  const models = { languageModel, projector: tinyModels.projector, clip: tinyModels.clip };
  self = await loadTiny({ models, decision, contextSize: CELLS, reuse: false });
  model = await Model.load({ modelPath: languageModel, projectorPath: tinyModels.projector, threadCount: 1 });
});
after(async () => {
  await self.dispose();
  await model.dispose();
});

const countOf = (parts: readonly NativePart[]) =>
  parts.reduce((sum, part) => sum + (part instanceof Int32Array ? part.length : part.tokenCount), 0);

/** A text of which `count` gives just so many. */
async function textOf(wanted: number, count: (text: string) => Promise<number>): Promise<string> {
  let text = 'a';
  for (const more of [' the', ' a', 'x', 'y', '.']) {
    while ((await count(text + more)) <= wanted) text += more;
    if ((await count(text)) === wanted) return text;
  }
  assert.fail(`no text of ${wanted} tokens`);
}

const refused = (message: RegExp) => ({ name: 'UsageError', code: 'ERR_PROMPT_TOO_LONG', message });

async function promptCount(text: string): Promise<number> {
  const images = [await model.encodeImage(await decodeImage(image))];
  return countOf(await model.prompt([{ role: 'user', text, images }]));
}

test('an answer that the language model judges has what conversation and question leave', async () => {
  const prompt = 'What is it?';
  const behind = (await model.followUp([{ role: 'user', text: prompt }], 'Is it?')).length;
  const read = await promptCount(prompt);
  const most = CELLS - read - behind;
  const tokens = async (text: string) => (await model.tokenize(text, { isContinued: true })).length;
  const answer = await textOf(most, tokens);
  const { answer: judged } = await self.evaluate({ image, prompt, answer });
  assert.ok(Number.isFinite(judged?.score));
  const longer = await textOf(most + 1, tokens);
  const message = new RegExp(`answer: expected one of at most ${most} tokens behind ${read} of its conversation`);
  await assert.rejects(self.evaluate({ image, prompt, answer: longer }), refused(message));
  await assertFreed(self, 'refused');
});

test('a question has what its picture leaves, but for one token to answer with', async () => {
  const vanilla: EtaRequest = { prompt: 'x', image, method: 'vanilla' };
  const { imageTokenCount } = (await self.respond({ ...vanilla, maxTokens: 1 })).usage;
  const fitting = await textOf(CELLS - 1, promptCount);
  const { usage, stopReason } = await self.respond({ ...vanilla, prompt: fitting });
  assert.deepEqual([usage.promptTokenCount, usage.answerTokenCount, stopReason], [CELLS - 1, 1, 'context']);
  const most = CELLS - 1 - imageTokenCount;
  const message = new RegExp(`expected a text of at most ${most} tokens, received a longer one\\.`);
  const longer = await textOf(CELLS, promptCount);
  await assert.rejects(self.respond({ ...vanilla, prompt: longer }), refused(message));
  await assertFreed(self, 'refused');
});

test('an answer that a stop text may end has 32 tokens for the rest of its last one, made anew; any other has none', async () => {
  const request: EtaRequest = { prompt: 'x', image, method: 'ecso', thresholds: { safeDecision: -1e6 } };
  const behind = (await model.followUp([{ role: 'user', text: 'x' }], 'Is it?')).length;
  for (const [stop, rest] of [
    [[], 0],
    [['never said'], 32],
  ] as const) {
    const most = CELLS - 1 - behind - rest;
    const fitting = await textOf(most, promptCount);
    const { usage, verdict } = await self.respond({ ...request, prompt: fitting, stop });
    assert.equal(usage.promptTokenCount, most);
    assert.ok(Number.isFinite(verdict.answer?.score));
    const longer = await textOf(most + 1, promptCount);
    const message = /expected a prompt that leaves room for an answer of 1 candidates in 256 tokens/;
    await assert.rejects(self.respond({ ...request, prompt: longer, stop }), refused(message));
  }
  await assertFreed(self, 'refused');
});

test('pictures have to leave room for a text: the first that leaves none is told', async () => {
  const rows = (await model.encodeImage(await decodeImage(image))).tokenCount;
  const fitting = Math.floor((CELLS - 2) / rows);
  const about = (images: readonly string[]): EtaRequest => ({ prompt: 'x', images, method: 'vanilla' });
  const of = (count: number) => about(Array(count).fill(image));
  const message = (count: number) =>
    refused(
      new RegExp(
        `expected pictures of less than ${CELLS - 1} tokens in all, received ${count} pictures` +
          `${count === fitting + 1 ? ' of' : `, the first ${fitting + 1} of`} ${(fitting + 1) * rows} tokens\\.`,
      ),
    );
  await assert.rejects(self.respond(of(fitting + 1)), message(fitting + 1));
  await assert.rejects(self.respond(of(fitting + 2)), message(fitting + 2));
  // Eight are read at once: what stands behind them has not been looked at.
  const ahead = [...Array(fitting + 8).fill(image), ...Array(60).fill('no-such.png')];
  await assert.rejects(self.respond(about(ahead)), message(ahead.length));
  await assert.rejects(self.respond(of(CELLS - 1)), refused(/received 255 pictures\. Shorten/));
});

test('each of several questions may be as long as a prompt', async () => {
  await using narrow = await loadEta({ models: 'miniature', method: 'vanilla', contextSize: CELLS });
  await using miniature = await Model.load({ modelPath: narrow.facts.models.languageModel });
  const worded = async (question: string) =>
    countOf(await miniature.prompt([{ role: 'user', text: `${question}\nAnswer yes or no.` }]));
  const ask = (question: string): DecideQuestion => ({ type: 'predicate', question });
  const of = (question: string) =>
    narrow.decide({ questions: [ask('Is it?'), ask(question)], reuse: false }).catch(({ code }) => code);
  const isTaken = (outcome: unknown) => outcome !== 'ERR_PROMPT_TOO_LONG' && outcome !== 'ERR_CACHE_FULL';
  assert.ok(isTaken(await of(await textOf(CELLS - 1, worded))));
  assert.equal(await of(await textOf(CELLS, worded)), 'ERR_PROMPT_TOO_LONG');
});
