/** How far the device computed from what was expected, of all comparisons of the tests: the largest of each kind. */
export function largestDifferences(lines) {
  const kinds = new Map();
  for (const line of lines.split('\n').filter((text) => text !== '')) {
    const { kind, difference, bound } = JSON.parse(line);
    const { most = 0, count = 0 } = kinds.get(kind) ?? {};
    kinds.set(kind, { most: Math.max(most, difference), count: count + 1, bound });
  }
  const rows = [...kinds].sort(([a], [b]) => (a < b ? -1 : 1));
  return ['Differences by kind: largest, bound, comparisons'].concat(
    rows.map(([kind, { most, bound, count }]) => `  ${kind.padEnd(12)} ${most.toExponential(1)}  ${bound}  ${count}`),
  );
}
