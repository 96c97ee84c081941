/** Shared memory, as a thread's collector sees it. */

const weights = new WeakMap<Uint8Array, ArrayBuffer>();

/**
 * V8 does not count shared memory, so a thread that sees much of it would never collect it. An ordinary buffer of the
 * same size, which lives as long and is never touched, makes it count. Linux and macOS give no memory for what is never
 * touched; Windows sets it aside.
 */
export function weigh(shared: Uint8Array): void {
  weights.set(shared, new ArrayBuffer(shared.length));
}
