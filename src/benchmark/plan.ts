/** Which answers a benchmark wants, in the order in which they are made. */
import { seedOf } from '../batch/index.js';
import { draws } from '../policy/index.js';
import type { ImageSource } from '../types/picture.js';
import type { Method } from '../types/policy.js';
import type { Dataset } from './dataset.js';
import type { BenchmarkItem } from './item.js';

/** One answer to be made. */
export interface Instance<Item extends BenchmarkItem = BenchmarkItem> {
  /** Unique among all instances: `<run>/<seed>/<item>`. */
  readonly id: string;
  readonly item: Item;
  /** What tables call it: a method, or a control. */
  readonly run: string;
  readonly method: Method;
  readonly seed: number;
  readonly image: ImageSource | null;
}

export interface PlanOptions {
  readonly methods: readonly Method[];
  /** At least one; methods that do not draw take the first. */
  readonly seeds: readonly number[];
  /** Of the model's own answers; above 0 every method draws. @default 0 */
  readonly answerTemperature?: number | undefined;
}

/**
 * Every answer wanted: categories in turn, an item under all its methods before the next, the first seed before the
 * others, so that a run that ends early has seen as much of each.
 */
export function plan(
  items: readonly BenchmarkItem[],
  { methods, seeds, answerTemperature = 0 }: PlanOptions,
  asks: Dataset['asks'] = () => true,
): Instance[] {
  const mixed = interleaved(items, ({ category }) => category);
  return seeds.flatMap((seed, index) =>
    mixed.flatMap((item) =>
      methods
        .filter((method) => (index === 0 || draws(method, answerTemperature)) && asks(item, method, index))
        .map((method) => instance(item, method, seed)),
    ),
  );
}

/** The instance of one item; a control has a `run` of its own, and maybe another picture. */
export function instance<Item extends BenchmarkItem>(
  item: Item,
  method: Method,
  seed: number,
  { run = method, image = item.image }: { readonly run?: string; readonly image?: ImageSource | null } = {},
): Instance<Item> {
  return { id: `${run}/${seed}/${item.id}`, item, run, method, seed, image };
}

/** The seed of one answer: one seed for all items would make their draws alike. */
export function answerSeed({ seed, item }: Instance): number {
  return seedOf(seed, item.id);
}

/** At most `limit` questions of each category, as they come; those that count as one, and twins, stay together. */
export function limited<Item extends BenchmarkItem>(items: readonly Item[], limit: number): Item[] {
  const kept = new Map<string, Set<string>>();
  return items.filter(({ category, id, twin = id, group = twin }) => {
    const names = kept.get(category) ?? new Set();
    kept.set(category, names);
    if (names.size < limit) names.add(group);
    return names.has(group);
  });
}

/** Rows of each key in turn: the first of each, the second of each, … */
export function interleaved<Row>(rows: readonly Row[], key: (row: Row) => string): Row[] {
  const places = new Map<string, number>();
  const numbered = rows.map((row) => {
    const place = places.get(key(row)) ?? 0;
    places.set(key(row), place + 1);
    return { row, place };
  });
  return numbered.sort((a, b) => a.place - b.place).map(({ row }) => row);
}
