/** Decodes one damaged picture after the other. */
import { EtaError } from '../../src/errors.js';
import { decodeImage } from '../../src/image/index.js';
import { answerSeeds } from './forked-child.js';
import { mutatedPicture } from './picture-mutation.js';
import { soundPictures } from './sound-pictures.js';
import { outcomeOf, RAW } from './tally.js';

/** What a picture may have here: a megapixel is quick, and what is beyond must be refused before it is decoded. */
const MOST_PIXELS = 1_000_000;

/** What one file may add to the process at most: libraries keep some, a decoder that trusts a header takes gigabytes. */
const MOST_BYTES = 400 * 2 ** 20;

const sound = await soundPictures();

async function use(_: null, seed: number): Promise<string> {
  const bytes = mutatedPicture(sound, seed);
  const before = process.memoryUsage.rss();
  const outcome = await decoded(bytes);
  const more = process.memoryUsage.rss() - before;
  return more > MOST_BYTES ? `${RAW}${outcome}, and ${Math.round(more / 2 ** 20)} MiB more` : outcome;
}

async function decoded(bytes: Buffer): Promise<string> {
  try {
    const { data, width, height } = await decodeImage(bytes, { maxPixels: MOST_PIXELS });
    const isWhole = width >= 1 && height >= 1 && width * height <= MOST_PIXELS && data.length === width * height * 3;
    return isWhole ? 'read' : `${RAW}${data.length} bytes for ${width} x ${height} pixels`;
  } catch (error) {
    const isSentence =
      error instanceof EtaError && /Expected|expected|[Cc]onvert/.test(error.message) && error.message.length < 600;
    return isSentence || !(error instanceof EtaError) ? outcomeOf(error) : `${RAW}${error.message}`;
  }
}

answerSeeds(use);
