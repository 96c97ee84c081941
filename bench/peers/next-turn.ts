/**
 * The next turn of a chat about a picture: the whole conversation is given again, as the public interface takes it, against
 * llama-server, which keeps what it read. Each side goes on from its own answer; CLIP has its real size and finds the
 * picture clean. Each turn of the bench begins another chat.
 *
 *     node --import tsx bench/peers/next-turn.ts [--model 160m|1.1b|7b|miniature] [--weights q8_0] [--tokens 8]
 *                                                [--repeat 5] [--threads N] [--folder DIR]
 */
import type { Turn } from '../../src/index.js';
import { type Answer, CLEAN, openEta, ours, Peer } from './answers.js';
import { inTurn, ratioRow, report } from './comparison.js';
import { newPicture } from './questions.js';
import { described, filesOf, modelName, settings } from './settings.js';

const options = settings({ model: '160m', tokens: 8, repeat: 5 });
const { tokens, repeat, folder } = options;
const files = await filesOf(options, options.model === 'miniature' ? 'miniature' : 'fp32');
await using eta = await openEta(files, options, { thresholds: CLEAN });
await using peer = await Peer.open(files, options);

interface Chat {
  readonly opening: Answer;
  readonly next: Answer;
}

async function chat(turn: number, answer: (turns: readonly Turn[]) => Promise<Answer>): Promise<Chat> {
  const image = await newPicture(folder, turn);
  const asked: Turn = { role: 'user', text: 'What is shown here?', images: [image] };
  const opening = await answer([asked]);
  const said: Turn = { role: 'assistant', text: opening.text };
  return { opening, next: await answer([asked, said, { role: 'user', text: 'Which colour does it have?' }]) };
}

const sides = await inTurn(
  {
    ours: (turn) => chat(turn, (turns) => ours(eta, { turns, maxTokens: tokens, thresholds: CLEAN })),
    theirs: (turn) => chat(turn, (turns) => peer.answer(turns, tokens, true)),
  },
  repeat,
);
const of = (side: 'ours' | 'theirs', which: keyof Chat) => sides[side].map((one) => one[which].totalMs);
const what = `${modelName(options)}: next turn of a chat`;
report(
  `${described(options)}; ${tokens} tokens behind ${sides.ours[0]?.next.promptTokenCount} (llama-server: ${sides.theirs[0]?.next.promptTokenCount})`,
  [
    ratioRow({ what, ours: of('ours', 'next'), theirs: of('theirs', 'next'), against: "llama-server's", atMost: 1.2 }),
    ratioRow({ what, ours: of('ours', 'next'), theirs: of('ours', 'opening'), against: 'our first', atMost: 0.1 }),
  ],
);
