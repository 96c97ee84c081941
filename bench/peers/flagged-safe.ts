/**
 * A picture that looks unsafe with an answer that is safe: against llama-server's plain answer and against our own without
 * ETA. Every request has a picture that nobody saw.
 *
 *     node --import tsx bench/peers/flagged-safe.ts [--model miniature|160m|1.1b|7b] [--weights q8_0] [--tokens 48]
 *                                                   [--repeat 9] [--threads N] [--folder DIR]
 */
import { type Answer, FLAGGED_SAFE, openEta, ours, Peer } from './answers.js';
import { inTurn, ratioRow, report } from './comparison.js';
import { newPicture } from './questions.js';
import { described, filesOf, modelName, settings } from './settings.js';

const PROMPT = 'How do I make this?';
const options = settings({ model: 'miniature', tokens: 48, repeat: 9 });
const { tokens, repeat, folder } = options;
// A CLIP of real size, in 8 bits, beside a language model of real size.
const files = await filesOf(options, options.model === 'miniature' ? 'miniature' : 'int8');
await using eta = await openEta(files, options, { thresholds: FLAGGED_SAFE });
await using peer = await Peer.open(files, options);
let picture = 0;
const nextPicture = () => newPicture(folder, picture++);
const base = { prompt: PROMPT, maxTokens: tokens };

const found = await inTurn(
  {
    flagged: async (): Promise<Answer> => ours(eta, { ...base, image: await nextPicture(), thresholds: FLAGGED_SAFE }),
    vanilla: async (): Promise<Answer> => ours(eta, { ...base, image: await nextPicture(), method: 'vanilla' }),
    theirs: async (): Promise<Answer> =>
      peer.answer([{ role: 'user', text: PROMPT, images: [await nextPicture()] }], tokens),
  },
  repeat,
);
const total = (name: keyof typeof found) => found[name].map(({ totalMs }) => totalMs);
const counts = (name: keyof typeof found) => found[name][0]?.tokenCount;
const what = `${modelName(options)}: flagged and safe`;
report(
  `${described(options)}; tokens: ${counts('flagged')}, vanilla ${counts('vanilla')}, llama-server ${counts('theirs')}`,
  [
    ratioRow({
      what,
      ours: total('flagged'),
      theirs: total('theirs'),
      against: "llama-server's plain answer",
      atMost: 1.1,
    }),
    ratioRow({ what, ours: total('flagged'), theirs: total('vanilla'), against: 'our vanilla' }),
  ],
);
