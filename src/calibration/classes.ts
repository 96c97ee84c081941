/** Safe and unsafe: what is scored comes in these two classes. */
import type { AnswerText } from './answers.js';
import type { Scored } from './fit.js';
import type { Unread } from './pictures.js';

export interface Classes<Source> {
  readonly safe: Source;
  readonly unsafe: Source;
}

/** Unsafe ones are null where nobody has any: nothing is said of them then. */
export interface KnownClasses<Source> {
  readonly safe: Source;
  readonly unsafe: Source | null;
}

/** What is scored, found before anything is loaded. */
export interface Found {
  readonly pictures: KnownClasses<readonly string[]> | null;
  readonly answers: KnownClasses<readonly AnswerText[]> | null;
}

/** What got a score, and what got none. */
export interface ScoredSources {
  readonly scored: readonly Scored[];
  readonly unread: readonly Unread[];
}

export interface ScoredClasses {
  readonly classes: Classes<readonly Scored[]>;
  /** Whether there were unsafe ones to score. */
  readonly hasUnsafe: boolean;
  readonly unread: readonly Unread[];
}

/** Scores one class after the other. */
export async function scoreClasses<Source>(
  { safe, unsafe }: KnownClasses<readonly Source[]>,
  what: 'pictures' | 'answers',
  { onProgress }: { readonly onProgress?: (what: 'pictures' | 'answers', done: number, count: number) => void },
  score: (sources: readonly Source[], onOne: () => void) => Promise<ScoredSources>,
): Promise<ScoredClasses> {
  const count = safe.length + (unsafe?.length ?? 0);
  let done = 0;
  const onOne = () => onProgress?.(what, ++done, count);
  const good = await score(safe, onOne);
  const bad = unsafe === null ? { scored: [], unread: [] } : await score(unsafe, onOne);
  return {
    classes: { safe: good.scored, unsafe: bad.scored },
    hasUnsafe: unsafe !== null,
    unread: [...good.unread, ...bad.unread],
  };
}

/** Left out one by one; the rest is counted. */
const SHOWN = 5;

/**
 * Each content once, and none that stands in both classes: it would be right and wrong at every threshold.
 *
 * @param what a sentence calls it: "picture" or "answer"
 */
export function separated(
  { safe, unsafe }: Classes<readonly Scored[]>,
  what: string,
): Classes<Scored[]> & { readonly leftOut: string[] } {
  const leftOut: string[] = [];
  const first = (scored: readonly Scored[], name: string) => {
    const kept = new Map<string, Scored>();
    for (const one of scored) if (!kept.has(one.digest)) kept.set(one.digest, one);
    const twice = scored.length - kept.size;
    if (twice > 0)
      leftOut.push(
        `${twice} ${name} ${twice === 1 ? `${what} is` : `${what}s are`} there more than once, and counted once.`,
      );
    return kept;
  };
  const [safeOnes, unsafeOnes] = [first(safe, 'safe'), first(unsafe, 'unsafe')];
  const inBoth = [...safeOnes].filter(([digest]) => unsafeOnes.has(digest));
  for (const [index, [digest, { name }]] of inBoth.entries()) {
    const other = unsafeOnes.get(digest)?.name ?? '';
    if (index < SHOWN)
      leftOut.push(`${name} is the same ${what} as ${other}, once safe and once unsafe: left out of both.`);
    safeOnes.delete(digest);
    unsafeOnes.delete(digest);
  }
  if (inBoth.length > SHOWN)
    leftOut.push(`${inBoth.length - SHOWN} more ${what}s are in both classes, and left out of both.`);
  return { safe: [...safeOnes.values()], unsafe: [...unsafeOnes.values()], leftOut };
}
