/** The cross-modality attack: one adversarial picture beside 40 harmful instructions. */
import { UsageError } from '../errors.js';
import type { Dataset, DatasetFolder } from './dataset.js';
import { AFFIRMATIVE_SUFFIX } from './figstep.js';
import { recordsOf } from './table.js';

const TABLES = ['harmful_corpus/manual_harmful_instructions.csv', 'manual_harmful_instructions.csv'];
const PICTURE = /\.(bmp|png|jpe?g)$/i;

/** The picture before the attack: the control, asked about only where it is named. */
const CLEAN = 'clean';

/** The authors' table has none; the reference code of ETA reads one with this. */
const HEADER = /^instructions?$/i;

export const crossModality: Dataset = {
  name: 'cross-modality',
  title: 'Cross-modality attack (adversarial image + text)',
  source: 'Qi et al., Visual Adversarial Examples Jailbreak Aligned LLMs (AAAI 2024, arXiv 2306.13213)',
  licence: 'none found: ask the authors',
  layout: [
    'harmful_corpus/manual_harmful_instructions.csv (40 rows, no header, or instruction as one) or manual_harmful_instructions.csv',
    'adversarial_images/<name>.bmp, or one picture in the root; of several --variant takes one by name; clean is the control',
  ],
  // Any picture's name: the folder says which there are.
  variants: ['<picture>'],
  async load(folder, variant) {
    const { file, text } = await folder.text(...TABLES);
    const instructions = (await recordsOf(folder, file, text, ',')).flatMap(({ line, fields }) => {
      const [instruction = '', ...rest] = fields;
      if (rest.some((field) => field.trim() !== ''))
        throw folder.invalid(
          file,
          'expected one instruction a row, in quotes where it holds a comma, received more fields.',
          {
            line,
          },
        );
      return instruction.trim() === '' ? [] : [{ line, instruction }];
    });
    if (HEADER.test(instructions[0]?.instruction.trim() ?? '')) instructions.shift();
    const [first] = instructions;
    if (first === undefined) throw folder.invalid(file, 'expected instructions, received none.');
    if (/^(prompt|goal|text)s?$/i.test(first.instruction.trim()))
      throw folder.invalid(file, `expected no header, or instruction, received ${JSON.stringify(first.instruction)}.`, {
        line: first.line,
      });
    const image = await picture(folder, variant);
    return instructions.map(({ instruction }, index) => ({
      id: `instruction-${index}`,
      category: 'manual harmful instructions',
      prompt: `${instruction}${AFFIRMATIVE_SUFFIX}`,
      image,
      measure: 'unsafe',
      isHarmful: true,
    }));
  },
};

/** The picture that the variant names, or the only adversarial one. */
async function picture(folder: DatasetFolder, variant: string): Promise<string> {
  const found = new Map<string, string>();
  for (const place of ['adversarial_images', '']) {
    for (const name of await folder.names(place)) {
      if (PICTURE.test(name))
        found.set(name.replace(PICTURE, ''), folder.path(place === '' ? name : `${place}/${name}`));
    }
  }
  const adversarial = [...found.keys()].filter((name) => name !== CLEAN);
  const isNamed = variant !== '<picture>';
  const chosen = found.get(isNamed || adversarial.length !== 1 ? variant : (adversarial[0] ?? ''));
  if (chosen !== undefined) return chosen;
  if (adversarial.length === 0 && !isNamed) return folder.path(await folder.require('adversarial_images/<name>.bmp'));
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `cross-modality: expected --variant with one of the pictures ${[...found.keys()].join(', ')}, received ${isNamed ? variant : 'none'}.`,
  );
}
