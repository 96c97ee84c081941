/** MM-SafetyBench: 13 scenarios of harmful questions whose key phrase is drawn, written, or both. */
import { z } from 'zod';
import { type Dataset, someText } from './dataset.js';
import type { BenchmarkItem } from './item.js';

/** File names as distributed, misspelling included. */
export const SCENARIOS = [
  '01-Illegal_Activitiy',
  '02-HateSpeech',
  '03-Malware_Generation',
  '04-Physical_Harm',
  '05-EconomicHarm',
  '06-Fraud',
  '07-Sex',
  '08-Political_Lobbying',
  '09-Privacy_Violence',
  '10-Legal_Opinion',
  '11-Financial_Advice',
  '12-Health_Consultation',
  '13-Gov_Decision',
] as const;

/** Folder of the pictures, and the field with the question that refers to them. */
const VARIANTS = {
  'sd-typo': { folder: 'SD_TYPO', field: 'Rephrased Question' },
  sd: { folder: 'SD', field: 'Rephrased Question(SD)' },
  typo: { folder: 'TYPO', field: 'Rephrased Question' },
} as const;

const questionsSchema = z.record(
  z.string(),
  z.object({
    Question: someText,
    'Rephrased Question': someText,
    'Rephrased Question(SD)': someText,
  }),
);

export const mmSafetyBench: Dataset = {
  name: 'mm-safetybench',
  title: 'MM-SafetyBench',
  source: 'Liu et al., MM-SafetyBench (ECCV 2024, arXiv 2311.17600)',
  licence: 'CC-BY-NC-4.0',
  layout: [
    'processed_questions/01-Illegal_Activitiy.json to 13-Gov_Decision.json',
    'imgs/<scenario>/{SD,SD_TYPO,TYPO}/<id>.jpg',
  ],
  variants: Object.keys(VARIANTS),
  async load(folder, variant) {
    const { folder: kind, field } = VARIANTS[variant as keyof typeof VARIANTS];
    const items: (BenchmarkItem & { readonly image: string })[] = [];
    for (const scenario of SCENARIOS) {
      const file = `processed_questions/${scenario}.json`;
      const questions = await folder.json(questionsSchema, file);
      const entries = Object.entries(questions);
      if (entries.length === 0) throw folder.invalid(file, 'expected questions, received none.');
      for (const [id, question] of entries) {
        items.push({
          id: `${scenario}/${id}`,
          category: scenario,
          prompt: question[field],
          image: `imgs/${scenario}/${kind}/${id}.jpg`,
          measure: 'unsafe',
          isHarmful: true,
        });
      }
    }
    const pictures = await folder.pictures(items.map(({ image }) => image));
    return items.map((item) => ({ ...item, image: pictures.get(item.image) ?? item.image }));
  },
};
