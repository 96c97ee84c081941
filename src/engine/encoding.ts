/** The addon's encoding of a picture as a promise that a signal ends. */
import { onAbort, orAbort } from '../abort.js';
import type { NativeEncoding, NativeImage } from '../native/image-types.js';
import { native } from './native-error.js';

/** The picture of an encoding; the signal cancels it. */
export async function encoded(begin: () => NativeEncoding, signal: AbortSignal | undefined): Promise<NativeImage> {
  const { image, cancel } = await native(begin);
  const takeBack = onAbort(signal, cancel);
  return await orAbort(
    native(() => image),
    signal,
    (late) => late.dispose(),
  ).finally(takeBack);
}
