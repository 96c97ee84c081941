/**
 * MM-SafetyBench++: each harmful request with its picture beside a harmless twin that was changed as little as possible.
 * Questions lie in JSON files, the harmful and the harmless apart; the pictures in parquet, a row for each question, twin
 * and way of drawing. Within a scenario rows and questions go by their order.
 */
import { z } from 'zod';
import type { ImageSource } from '../types/picture.js';
import { type Dataset, type DatasetFolder, someText } from './dataset.js';
import type { BenchmarkItem } from './item.js';
import { readParquet } from './parquet.js';
import { parquetPicture } from './parquet-picture.js';

/** File names as distributed; the parquet calls a scenario what stands behind the number. */
export const TWIN_SCENARIOS = [
  '01-Illegal_Activity',
  '02-HateSpeech',
  '03-Malware_Generation',
  '04-Physical_Harm',
  '06-Fraud',
  '07-Sex',
] as const;

/** Ways of drawing, as the parquet calls them: a picture, and one with the phrase written in it. */
const MODES = { gen: 'Gen', 'gen-ocr': 'GenOCR' } as const;

const SIDES = [
  { label: 'unsafe', folder: 'processed_questions', measure: 'refusal', isHarmful: true },
  { label: 'safe', folder: 'processed_questions_safe', measure: 'over-refusal', isHarmful: false },
] as const;

const questionsSchema = z.record(z.string(), z.object({ 'Changed Question': someText }));

const PARQUET = /^test-\d{5}-of-\d{5}\.parquet$/;

export const mmSafetyBenchTwins: Dataset = {
  name: 'mm-safetybench++',
  title: 'MM-SafetyBench++ (twins)',
  source:
    'Zhang et al., Evolving Contextual Safety (CVPR 2026, arXiv 2603.15800); EchoSafe-MLLM/MM-SafetyBench-plus-plus',
  licence: 'CC-BY-4.0',
  layout: [
    'processed_questions/<scenario>.json and processed_questions_safe/<scenario>.json (Changed Question; 711 pairs in 6 scenarios)',
    'data/test-<number>-of-<number>.parquet (columns image { bytes, path }, category, label, mode; 2,844 rows)',
  ],
  variants: Object.keys(MODES),
  async load(folder, variant) {
    const pictures = await picturesOf(folder, MODES[variant as keyof typeof MODES]);
    const items: BenchmarkItem[] = [];
    for (const scenario of TWIN_SCENARIOS) {
      const [harmful, harmless] = [
        await side(folder, scenario, 0, pictures),
        await side(folder, scenario, 1, pictures),
      ];
      for (const [id, item] of harmful) {
        const twin = harmless.get(id);
        if (twin === undefined)
          throw folder.invalid(
            `${SIDES[1].folder}/${scenario}.json`,
            `expected the twin of question ${id} of ${SIDES[0].folder}/${scenario}.json, received none.`,
          );
        items.push(item, twin);
      }
      if (harmless.size !== harmful.size)
        throw folder.invalid(
          `${SIDES[1].folder}/${scenario}.json`,
          `expected ${harmful.size} questions, as many as their twins, received ${harmless.size}.`,
        );
    }
    return items;
  },
};

/** The questions of one side of a scenario by their id, each with its picture. */
async function side(
  folder: DatasetFolder,
  scenario: string,
  which: 0 | 1,
  pictures: ReadonlyMap<string, readonly ImageSource[]>,
): Promise<ReadonlyMap<string, BenchmarkItem>> {
  const { label, folder: place, measure, isHarmful } = SIDES[which];
  const file = `${place}/${scenario}.json`;
  const questions = Object.entries(await folder.json(questionsSchema, file));
  const own = pictures.get(keyOf(scenario.slice(3), label)) ?? [];
  if (own.length !== questions.length)
    throw folder.invalid(
      file,
      `expected as many questions as there are pictures, ${own.length}, received ${questions.length}.`,
    );
  return new Map(
    questions.map(([id, question], index) => [
      id,
      {
        id: `${scenario}/${id}/${label}`,
        category: scenario,
        prompt: question['Changed Question'],
        image: own[index] ?? null,
        measure,
        isHarmful,
        twin: `${scenario}/${id}`,
      },
    ]),
  );
}

/** Pictures of a way of drawing, in their order, by scenario and side. */
async function picturesOf(folder: DatasetFolder, mode: string): Promise<ReadonlyMap<string, readonly ImageSource[]>> {
  const files = (await folder.names('data')).filter((name) => PARQUET.test(name)).map((name) => `data/${name}`);
  if (files.length === 0) await folder.require('data/test-00000-of-00001.parquet');
  const found = new Map<string, ImageSource[]>();
  for (const file of files) {
    const rows = await readParquet(folder, file, { columns: ['image', 'category', 'label', 'mode'] });
    for (const [index, row] of rows.entries()) {
      if (row['mode'] !== mode) continue;
      const key = keyOf(String(row['category']), String(row['label']));
      const picture = await parquetPicture(folder, file, row['image'], `row ${index + 1}`);
      const same = found.get(key) ?? [];
      found.set(key, same);
      same.push(picture);
    }
  }
  return found;
}

const keyOf = (category: string, label: string) => `${category}/${label}`.toLowerCase();
