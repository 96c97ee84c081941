/** The functions of who runs the server: what they throw is told, and touches no answer. */
import { describe } from '../options.js';

/** Calls `listener`, where there is one; what it throws, or rejects with, becomes a warning of the process. */
export async function tell<What>(
  name: 'onRequest' | 'onError',
  listener: ((what: What) => unknown) | undefined,
  what: What,
): Promise<void> {
  try {
    await listener?.(what);
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.stack ?? cause.message) : describe(cause);
    const message = `createServer options: ${name}: expected a function that throws nothing, received one that threw. No answer was lost. Catch what it throws: ${reason}`;
    process.emitWarning(message, { type: 'EtaWarning', code: 'ETA_LISTENER' });
  }
}
