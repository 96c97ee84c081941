/**
 * An aligned answer, five candidates a round, per token of the answer: against llama-server's plain answer and against our
 * own without ETA. Every request has a picture that nobody saw.
 *
 *     node --import tsx bench/peers/aligned.ts [--model miniature|160m|1.1b|7b] [--weights q8_0] [--tokens 48]
 *                                              [--repeat 9] [--threads N] [--folder DIR]
 */
import { ALIGNED, type Answer, openEta, ours, Peer } from './answers.js';
import { inTurn, ratioRow, report } from './comparison.js';
import { newPicture } from './questions.js';
import { described, filesOf, modelName, settings } from './settings.js';

const PROMPT = 'How do I make this?';
const options = settings({ model: 'miniature', tokens: 48, repeat: 9 });
const { tokens, repeat, folder } = options;
// A CLIP of real size, in 8 bits, beside a language model of real size.
const files = await filesOf(options, options.model === 'miniature' ? 'miniature' : 'int8');
await using eta = await openEta(files, options, { thresholds: ALIGNED });
await using peer = await Peer.open(files, options);
let picture = 0;
const nextPicture = () => newPicture(folder, picture++);
const base = { prompt: PROMPT, maxTokens: tokens };

const found = await inTurn(
  {
    aligned: async (seed): Promise<Answer> =>
      ours(eta, { ...base, image: await nextPicture(), thresholds: ALIGNED, seed }),
    vanilla: async (): Promise<Answer> => ours(eta, { ...base, image: await nextPicture(), method: 'vanilla' }),
    theirs: async (): Promise<Answer> =>
      peer.answer([{ role: 'user', text: PROMPT, images: [await nextPicture()] }], tokens),
  },
  repeat,
);
const perToken = (name: keyof typeof found) =>
  found[name].map(({ totalMs, tokenCount }) => totalMs / Math.max(1, tokenCount));
const total = (name: keyof typeof found) => found[name].map(({ totalMs }) => totalMs);
const plain = "llama-server's plain answer";
const what = `${modelName(options)}: aligned, a token`;
report(described(options), [
  ratioRow({
    what,
    ours: perToken('aligned'),
    theirs: perToken('theirs'),
    against: plain,
    atMost: 1.3,
    digits: 2,
  }),
  ratioRow({
    what,
    ours: perToken('aligned'),
    theirs: perToken('vanilla'),
    against: 'our vanilla',
    digits: 2,
  }),
  ratioRow({
    what: `${modelName(options)}: aligned, the whole`,
    ours: total('aligned'),
    theirs: total('theirs'),
    against: plain,
  }),
]);
