/** A question to whoever sits at the terminal. */
import { createInterface } from 'node:readline/promises';
import { visibleName } from '../visible.js';

/** Whether somebody can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Whether the answer is yes; anything else is no. @throws AbortError of Node's when the signal fires */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // At a prompt the terminal hands Ctrl-C on as a letter; the end of input closes it, and is no.
  lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const answered = lines.question(`${visibleName(question)} [y/N] `, { signal });
    return /^\s*(y|yes)\s*$/i.test(await Promise.race([answered, closed]));
  } finally {
    lines.close();
  }
}
