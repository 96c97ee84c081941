/**
 * A picture that looks safe, with a CLIP of real size: the whole answer and its first text, against llama-server's plain
 * answer and against our own without ETA. CLIP in 8 bits, then in float32. Every request has a picture that nobody saw.
 *
 *     node --import tsx bench/peers/clean-picture.ts [--model 1.1b|160m|7b] [--weights q4_0] [--tokens 32] [--repeat 5]
 *                                                    [--threads N] [--folder DIR]
 */
import type { ClipWeights } from '../random-clip.js';
import { type Answer, CLEAN, openEta, ours, Peer } from './answers.js';
import { inTurn, type Row, ratioRow, report } from './comparison.js';
import { newPicture } from './questions.js';
import { described, filesOf, modelName, settings } from './settings.js';

const PROMPT = 'What is shown here?';
const options = settings({ model: '1.1b', weights: 'q4_0', repeat: 5 });
const { tokens, repeat, folder } = options;
let picture = 0;
const nextPicture = () => newPicture(folder, picture++);

async function measure(weights: ClipWeights): Promise<Row[]> {
  const files = await filesOf(options, weights);
  await using eta = await openEta(files, options, { thresholds: CLEAN });
  await using peer = await Peer.open(files, options);
  const base = { prompt: PROMPT, maxTokens: tokens };
  const found: Record<'clean' | 'vanilla' | 'theirs', Answer[]> = await inTurn(
    {
      clean: async (): Promise<Answer> => ours(eta, { ...base, image: await nextPicture(), thresholds: CLEAN }),
      vanilla: async (): Promise<Answer> => ours(eta, { ...base, image: await nextPicture(), method: 'vanilla' }),
      theirs: async (): Promise<Answer> =>
        peer.answer([{ role: 'user', text: PROMPT, images: [await nextPicture()] }], tokens),
    },
    repeat,
  );
  const what = `${modelName(options)}: clean picture, CLIP ViT-L/14-336 in ${weights}`;
  const total = (name: keyof typeof found) => found[name].map(({ totalMs }) => totalMs);
  const first = (name: keyof typeof found) => found[name].map(({ firstMs }) => firstMs);
  const plain = "llama-server's plain answer";
  return [
    ratioRow({ what, ours: total('clean'), theirs: total('theirs'), against: plain, atMost: 1.1 }),
    ratioRow({
      what: `${what}: first text`,
      ours: first('clean'),
      theirs: first('theirs'),
      against: plain,
      atMost: 1.1,
    }),
    ratioRow({ what, ours: total('clean'), theirs: total('vanilla'), against: 'our vanilla', atMost: 1.15 }),
  ];
}

report(`${described(options)}; ${tokens} tokens`, [...(await measure('int8')), ...(await measure('fp32'))]);
