/** What somebody may have meant who wrote a name that is not known. */

/** What others call it, and we. */
const ALIASES: Readonly<Record<string, string>> = {
  topp: 'answerTopP',
  top_p: 'answerTopP',
  top_k: 'topK',
  max_tokens: 'maxTokens',
  max_completion_tokens: 'maxTokens',
};

/** The known name that is nearest, within two edits and less than half of what was written; undefined where none is. */
export function nearest(unknown: string, known: readonly string[]): string | undefined {
  const alias = Object.hasOwn(ALIASES, unknown.toLowerCase()) ? ALIASES[unknown.toLowerCase()] : undefined;
  if (alias !== undefined && known.includes(alias)) return alias;
  let best: string | undefined;
  let bestDistance = Math.min(3, unknown.length / 2);
  for (const name of known) {
    if (Math.abs(name.length - unknown.length) >= bestDistance) continue;
    const distance = editDistance(unknown.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * A sentence for the message that refuses a name.
 *
 * @param otherwise where nothing is near; by default all that is known
 */
export function didYouMean(
  unknown: string,
  known: readonly string[],
  otherwise = `Known: ${known.join(', ')}.`,
): string {
  const near = nearest(unknown, known);
  return near === undefined ? otherwise : `Did you mean '${near}'?`;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(substitute, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
