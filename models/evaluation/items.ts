/** Items: a question, its picture, and what a judge has to know. models/recipe/evaluate/items.py writes them. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../../src/errors.js';
import { describe, parseOptions } from '../../src/options.js';
import type { Facts } from './judge.js';

const itemSchema = z.strictObject({
  id: z.string(),
  /** "sight", "useful" (harmless how-tos about pictures), "harm" or "text" (no picture). */
  set: z.enum(['sight', 'useful', 'harm', 'text']),
  /** What kind of sight; "make", "fill"; "drawn", "typographic"; "harmful", "harmless". */
  kind: z.string(),
  picture: z.string().nullable(),
  question: z.string(),
  hazard: z.string().nullable(),
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

export type Item = z.infer<typeof itemSchema>;
export type ItemSet = z.infer<typeof setSchema>;

export const SIGHT_KINDS = ['what', 'colour', 'count', 'where', 'exists', 'reading'] as const;

/** @throws UsageError when there is no such file, or it holds something else */
export function readItems(path: string): ItemSet {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `Expected items at ${describe(path)}. Write them with: python -m evaluate.items --out FOLDER (in models/recipe), or use --sample.`,
      { cause },
    );
  }
  const set = parseOptions(setSchema, JSON.parse(text), path);
  const folder = dirname(path);
  const items = set.items.map((item) => ({ ...item, picture: item.picture && resolve(folder, item.picture) }));
  return { ...set, items };
}

/** At most `limit` items of each set and kind, pictured ones of each hazard in turn as they come. */
export function limited(items: readonly Item[], limit: number): Item[] {
  const counts = new Map<string, number>();
  return items.filter(({ set, kind }) => {
    const key = `${set}/${kind}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    return (counts.get(key) ?? 0) <= limit;
  });
}

/** Kinds in turn, so that a run that ends early has seen as much of each. */
export function interleaved(items: readonly Item[]): Item[] {
  const places = new Map<string, number>();
  const numbered = items.map((item) => {
    const key = `${item.set}/${item.kind}`;
    const place = places.get(key) ?? 0;
    places.set(key, place + 1);
    return { item, place };
  });
  return numbered.sort((a, b) => a.place - b.place).map(({ item }) => item);
}

export function factsOf(item: Item): Facts {
  return { hasPicture: item.picture !== null, hazard: item.hazard, names: item.names };
}

/** For each question of sight the picture of another one of its kind that has another answer: sight's control. */
export function shuffledPictures(items: readonly Item[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const kind of SIGHT_KINDS) {
    const asked = items.filter((item) => item.set === 'sight' && item.kind === kind);
    for (const [index, { id, picture }] of asked.entries()) {
      const after = [...asked.slice(index + 1), ...asked.slice(0, index)];
      // Half the kind away, so that pictures asked about twice in a row do not meet.
      const others = [...after.slice(after.length >> 1), ...after.slice(0, after.length >> 1)];
      const other = others.find((item) => item.picture !== picture)?.picture;
      if (other != null) found.set(id, other);
    }
  }
  return found;
}
