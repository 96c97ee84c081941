/** The addon's load of a model as a promise that a signal ends. */
import { onAbort } from '../abort.js';
import { AbortError } from '../errors.js';
import type { NativeLoad, NativeModel } from '../native/model-types.js';

/** The model of a load; the signal cancels it, and so does an `onProgress` that throws. */
export async function arrival(
  begin: (report: (fraction: number) => void) => NativeLoad,
  signal: AbortSignal | undefined,
  onProgress: ((fraction: number) => void) | undefined,
): Promise<NativeModel> {
  const thrown: unknown[] = [];
  const load = begin((fraction) => {
    if (thrown.length > 0) return;
    try {
      onProgress?.(fraction);
    } catch (error) {
      thrown.push(error); // in a callback of the addon it would end the process
      load.cancel();
    }
  });
  const takeBack = onAbort(signal, () => load.cancel());
  try {
    const model = await load.model;
    if (!signal?.aborted && thrown.length === 0) return model;
    await model.dispose();
    throw new AbortError(signal);
  } catch (error) {
    if (thrown.length > 0) throw thrown[0];
    throw signal?.aborted ? new AbortError(signal) : error;
  } finally {
    takeBack();
  }
}
