/** Not a part of the library: what faults are planted in by test/mutants/mutants.test.ts. */

/** Whether it lies from low to high, both included. */
export function isWithin(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}

/** No test comes here. */
export function next(value: number): number {
  return value + 1;
}
