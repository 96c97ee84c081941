/**
 * How far the device computed from what was expected, of all comparisons of the tests: the largest of each kind. Of what
 * must not be equal, the smallest.
 */
export function largestDifferences(lines) {
  const kinds = new Map();
  for (const line of lines.split('\n').filter((text) => text !== '')) {
    const { kind, difference, bound } = JSON.parse(line);
    const { most = 0, count = 0 } = kinds.get(kind) ?? {};
    const isControl = kind.startsWith('other');
    const far = count === 0 ? difference : isControl ? Math.min(most, difference) : Math.max(most, difference);
    kinds.set(kind, { most: far, count: count + 1, bound });
  }
  const rows = [...kinds].sort(([a], [b]) => (a < b ? -1 : 1));
  return ['Differences by kind (of others: the smallest), bound, comparisons'].concat(
    rows.map(([kind, { most, bound, count }]) => `  ${kind.padEnd(12)} ${most.toExponential(1)}  ${bound}  ${count}`),
  );
}
