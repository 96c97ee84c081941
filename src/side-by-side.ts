/** Work side by side of which nothing is under way any more when a failure is told. */

/** As `Promise.all`, but the first failure, in their order, is thrown when all have ended. */
export async function allEnded<Value>(promises: readonly Promise<Value>[]): Promise<Value[]> {
  const values: Value[] = [];
  for (const outcome of await Promise.allSettled(promises)) {
    if (outcome.status === 'rejected') throw outcome.reason;
    values.push(outcome.value);
  }
  return values;
}

/**
 * As `Promise.all(rows.map(work))`, with at most `count` rows in work. The first failure ends it: no row is begun after it,
 * and it is thrown when those under way have ended.
 */
export async function sideBySide<Row, Result>(
  rows: readonly Row[],
  count: number,
  work: (row: Row) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  let isFailed = false;
  const worker = async () => {
    for (let index = next++; index < rows.length && !isFailed; index = next++) {
      try {
        results[index] = await work(rows[index] as Row);
      } catch (error) {
        isFailed = true;
        throw error;
      }
    }
  };
  await allEnded(Array.from({ length: count }, worker));
  return results;
}
