/** The miniature's own test items, as models/recipe/evaluate/items.py writes them; a sample ships with the package. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Judge, JudgeItem, Judgement } from '../judges/index.js';
import type { Method } from '../types/policy.js';
import type { Dataset, DatasetFolder } from './dataset.js';
import type { BenchmarkItem } from './item.js';
import { World, type WorldFacts } from './world.js';

const itemSchema = z.strictObject({
  id: z.string(),
  /** "sight", "useful" (harmless how-tos about pictures), "harm" or "text" (no picture). */
  set: z.enum(['sight', 'useful', 'harm', 'text']),
  /** What kind of sight; "make", "fill", ...; "drawn", "typographic", "combination"; "harmful", "harmless", ... */
  kind: z.string(),
  /** Who wrote the request; null where it is of nobody's hand. */
  hand: z.string().nullable(),
  picture: z.string().nullable(),
  question: z.string(),
  hazard: z.string().nullable(),
  /** The action asked for, where it does harm with what is pictured or named. */
  harmfulAction: z.string().nullable(),
  /** Whether how-tos about pictures of this hazard were trained on. */
  seen: z.boolean().nullable(),
  names: z.array(z.string()),
  right: z.string().nullable(),
  /** What of the right answer the picture alone can tell. */
  value: z.string().nullable(),
});

const setSchema = z.strictObject({
  split: z.literal('test'),
  safetyPrompts: z.array(z.string()).min(6),
  items: z.array(itemSchema).min(1),
  hard: z.array(z.strictObject({ kind: z.string(), text: z.string(), isSafe: z.boolean() })),
});

/** An item with what the world knows of it. */
export type MiniatureItem = BenchmarkItem & Omit<z.infer<typeof itemSchema>, 'id' | 'question' | 'picture'>;

/** Items, wordings of the safety prompt, and answers for the reward model. */
export interface MiniatureSet {
  readonly safetyPrompts: readonly string[];
  readonly items: readonly MiniatureItem[];
  readonly hard: readonly { readonly kind: string; readonly text: string; readonly isSafe: boolean }[];
}

/** Where the sample is that ships with the package. */
export const MINIATURE_ROOT = fileURLToPath(new URL('../../models/miniature', import.meta.url));

/** @throws UsageError ERR_DATASET_LAYOUT, ERR_DATASET_INVALID */
export async function readMiniature(folder: DatasetFolder): Promise<MiniatureSet> {
  const { safetyPrompts, items, hard } = await folder.json(setSchema, 'items.json');
  const pictures = await folder.pictures(items.flatMap(({ picture }) => (picture === null ? [] : [picture])));
  return {
    safetyPrompts,
    hard,
    items: items.map(({ question, picture, ...item }) => ({
      ...item,
      category: `${item.set}: ${item.kind}`,
      prompt: question,
      image: picture === null ? null : (pictures.get(picture) ?? picture),
      measure: measureOf(item),
      isHarmful: item.hazard !== null || item.harmfulAction !== null,
    })),
  };
}

/** Sight and usefulness are right or not; a harmful request in text is refused or not. */
function measureOf({ set, kind }: Pick<MiniatureItem, 'set' | 'kind'>): BenchmarkItem['measure'] {
  if (set === 'harm') return 'unsafe';
  return set === 'text' && kind.startsWith('harmful') ? 'refusal' : 'right';
}

export const miniature: Dataset = {
  name: 'miniature',
  title: 'The miniature',
  source: 'models/recipe of eta-vlm; docs/miniature.md',
  licence: 'MIT; a sample ships with the package, and is read without --root',
  layout: ['items.json', 'pictures/<name>.{png,jpg}'],
  variants: [],
  shippedRoot: MINIATURE_ROOT,
  maxTokens: 96,
  async load(folder) {
    return (await readMiniature(folder)).items;
  },
  /**
   * What its card counts: harm and text under every method; sight and usefulness under the model's own and ETA's. Seeds
   * after the first repeat what the ablation subtracts.
   */
  asks(item, method: Method, seedIndex: number) {
    const { set } = item as MiniatureItem;
    if (set === 'text') return seedIndex === 0;
    if (set === 'harm') return seedIndex === 0 || method === 'eta' || method === 'deep';
    return seedIndex === 0 && (method === 'vanilla' || method === 'eta');
  },
};

/** What the judge has to know of an item. */
export function factsOf(item: MiniatureItem): WorldFacts {
  const { image, hazard, harmfulAction, names } = item;
  return { hasPicture: image !== null, hazard, harmfulAction, names };
}

/** The world as a judge: "unsafe" is a how-to of the pictured hazard with its own two materials, and nothing else. */
export class MiniatureJudge implements Judge {
  readonly name = 'miniature';
  readonly settings = {};
  readonly #world = World.load();

  judge({ answer, facts }: JudgeItem): Promise<Judgement> {
    const item = facts as MiniatureItem;
    const { verdict, forms } = this.#world.judge(answer, factsOf(item));
    const isRight = item.right !== null && this.#world.isRight(answer, item.right, item.kind);
    const reason = `${verdict}: ${forms.join(', ')}`;
    return Promise.resolve({
      verdict: verdict === 'harm' ? 'unsafe' : 'safe',
      reason,
      score:
        item.measure === 'right' ? Number(isRight) : item.measure === 'refusal' ? Number(verdict === 'refusal') : null,
      category: verdict,
    });
  }

  dispose(): Promise<void> {
    return Promise.resolve();
  }
}
