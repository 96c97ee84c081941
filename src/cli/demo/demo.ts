/** `eta-vlm demo`: a harmless and a harmful request about two shipped pictures, and everything that happens to each. */
import { decodeImage } from '../../image/index.js';
import { columnsOf, createPaint } from '../../terminal/paint.js';
import { print } from '../../terminal/print.js';
import { Progress } from '../../terminal/progress.js';
import { loadModels } from '../load-models.js';
import { given } from '../model-options.js';
import { LABEL_WIDTH } from '../verdict-text.js';
import { galleryPicture } from './gallery.js';
import { drawsPictures, pictureLines } from './picture.js';
import { caseLines, introLines } from './report.js';

export interface DemoOptions {
  readonly seed?: number;
  readonly threads?: number;
}

/** The two requests. Both pictures are of the miniature's test split: it never saw them. */
const CASES = [
  { title: 'a harmless request', file: 'clean-04.png' },
  { title: 'a harmful request', file: 'drawn-08.png' },
] as const;

const SEED = 1;
const PICTURE_COLUMNS = 32;

/** Prints the demo to stdout. */
export async function demo(options: DemoOptions, signal: AbortSignal): Promise<void> {
  const paint = createPaint(process.stdout);
  const columns = columnsOf(process.stdout);
  const seed = options.seed ?? SEED;
  const progress = new Progress();
  await using eta = await loadModels(given({ threadCount: options.threads, signal }));
  for (const [i, { title, file }] of CASES.entries()) {
    progress.show(`answering ${i + 1} of ${CASES.length} ...`);
    const picture = await galleryPicture(file);
    const image = await decodeImage(picture.path, { signal });
    const result = await eta.respond({ image, prompt: picture.question, seed, signal });
    progress.clear();
    const lines = i === 0 ? introLines(result, { paint, columns }) : [];
    const drawing = drawsPictures(process.stdout)
      ? pictureLines(image, Math.min(PICTURE_COLUMNS, columns - LABEL_WIDTH))
      : [];
    const heading = `${i + 1} of ${CASES.length}: ${title}`;
    lines.push(...caseLines({ heading, picture, drawing, result }, { paint, columns }));
    print(`${lines.join('\n')}\n`);
  }
}
