/**
 * A second question about a picture that was asked about before, and the same question again: the public interface, a
 * request each, against llama-server, which keeps what it read. CLIP has its real size and finds the picture clean. Each
 * turn begins with a picture of its own.
 *
 *     node --import tsx bench/peers/second-question.ts [--model 160m|1.1b|7b|miniature] [--weights q8_0] [--tokens 8]
 *                                                      [--repeat 5] [--threads N] [--folder DIR]
 */
import { type Answer, CLEAN, openEta, ours, Peer } from './answers.js';
import { inTurn, type Row, ratioRow, report } from './comparison.js';
import { newPicture } from './questions.js';
import { described, filesOf, modelName, settings } from './settings.js';

const FIRST = 'What is shown here?';
const SECOND = 'How many colours does it have, and which of them is the brightest?';
const options = settings({ model: '160m', tokens: 8, repeat: 5 });
const { tokens, repeat, folder } = options;
const files = await filesOf(options, options.model === 'miniature' ? 'miniature' : 'fp32');
await using eta = await openEta(files, options, { thresholds: CLEAN });
await using peer = await Peer.open(files, options);

interface Asked {
  readonly first: Answer;
  readonly second: Answer;
  readonly again: Answer;
}

/** Three requests one after another, about one new picture. */
async function askAll(turn: number, ask: (prompt: string, image: string) => Promise<Answer>): Promise<Asked> {
  const image = await newPicture(folder, turn);
  return { first: await ask(FIRST, image), second: await ask(SECOND, image), again: await ask(SECOND, image) };
}

const sides = await inTurn(
  {
    ours: (turn) => askAll(turn, (prompt, image) => ours(eta, { prompt, image, maxTokens: tokens, thresholds: CLEAN })),
    theirs: (turn) =>
      askAll(turn, (text, image) => peer.answer([{ role: 'user', text, images: [image] }], tokens, true)),
  },
  repeat,
);
const what = `${modelName(options)}: second question on a known picture`;
const of = (side: 'ours' | 'theirs', which: keyof Asked) => sides[side].map((asked) => asked[which].totalMs);
const against = (what: string, which: keyof Asked, atMost?: number): Row =>
  ratioRow({ what, ours: of('ours', which), theirs: of('theirs', which), against: "llama-server's", atMost });
report(
  `${described(options)}; ${tokens} tokens behind ${sides.ours[0]?.second.promptTokenCount} (llama-server: ${sides.theirs[0]?.second.promptTokenCount})`,
  [
    against(what, 'second', 1.2),
    ratioRow({
      what,
      ours: of('ours', 'second'),
      theirs: of('ours', 'first'),
      against: 'our first',
      atMost: 0.1,
    }),
    against(`${modelName(options)}: the same question again`, 'again'),
    against(`${modelName(options)}: first question`, 'first'),
  ],
);
