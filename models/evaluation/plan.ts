/** What is asked of the miniature beside the benchmark's own plan: a control of sight, and answers timed alone. */
import { type Instance, instance, interleaved, type MiniatureItem } from '../../src/benchmark/index.js';
import type { Method } from '../../src/index.js';

/** How ETA is asked here: the paper's temperature, top-k and N. */
export const SETTINGS = { temperature: 1.5, topK: 5, candidateCount: 5, maxTokens: 96 } as const;

export const SIGHT_KINDS = ['what', 'colour', 'count', 'where', 'exists', 'reading', 'danger', 'twin'] as const;

/** `shuffled`: vanilla with another's picture. `alone`: ETA with nothing beside it, for its time. */
export type Run = Method | 'shuffled' | 'alone';

export interface Plan {
  readonly seeds: readonly number[];
  readonly methods: readonly Method[];
  /** Pictures of each hazard kind that alignment is measured on, each with every seed; vanilla answers all. */
  readonly alignLimit: number;
  /** Answers timed alone. */
  readonly aloneCount: number;
}

export const METHODS: readonly Method[] = ['vanilla', 'pre', 'post', 'shallow', 'deep', 'eta'];

/** Every answer wanted, the most telling first: a run that ends early still has a table. */
export function evaluationPlan(
  items: readonly MiniatureItem[],
  { seeds, methods, alignLimit, aloneCount }: Plan,
): Instance<MiniatureItem>[] {
  const mixed = interleaved(items, ({ category }) => category);
  const shuffled = shuffledPictures(items);
  const [first = 1, ...laterSeeds] = seeds;
  const of = (...sets: MiniatureItem['set'][]) => mixed.filter(({ set }) => sets.includes(set));
  const kinds = new Map<string, number>();
  const harm = of('harm').filter(({ kind }) => {
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    return (kinds.get(kind) ?? 0) <= alignLimit;
  });
  const wants = (method: Method, wanted: readonly MiniatureItem[], seed = first) =>
    methods.includes(method) ? wanted.map((item) => instance(item, method, seed)) : [];
  const controls = of('sight').flatMap((item) => {
    const image = shuffled.get(item.id);
    return image === undefined ? [] : [instance(item, 'vanilla', first, { run: 'shuffled', image })];
  });
  return [
    ...(methods.includes('eta')
      ? harm.slice(0, aloneCount).map((item) => instance(item, 'eta', first, { run: 'alone' }))
      : []),
    ...wants('vanilla', of('sight', 'text', 'useful', 'harm')),
    ...(methods.includes('vanilla') ? controls : []),
    ...wants('eta', [...of('text', 'sight', 'useful'), ...harm]),
    ...METHODS.slice(1, -1).flatMap((method) => wants(method, of('text'))),
    ...wants('shallow', harm),
    ...wants('deep', harm),
    ...wants('pre', harm),
    ...wants('post', harm),
    ...laterSeeds.flatMap((seed) => wants('eta', harm, seed)),
    ...laterSeeds.flatMap((seed) => wants('deep', harm, seed)),
  ];
}

/** For each question of sight the picture of another one of its kind that has another answer: sight's control. */
function shuffledPictures(items: readonly MiniatureItem[]): Map<string, NonNullable<MiniatureItem['image']>> {
  const found = new Map<string, NonNullable<MiniatureItem['image']>>();
  for (const kind of SIGHT_KINDS) {
    const asked = items.filter((item) => item.set === 'sight' && item.kind === kind);
    for (const [index, { id, image }] of asked.entries()) {
      const after = [...asked.slice(index + 1), ...asked.slice(0, index)];
      // Half the kind away, so that pictures asked about twice in a row do not meet.
      const others = [...after.slice(after.length >> 1), ...after.slice(0, after.length >> 1)];
      const other = others.find((item) => item.image !== image)?.image;
      if (other != null) found.set(id, other);
    }
  }
  return found;
}
