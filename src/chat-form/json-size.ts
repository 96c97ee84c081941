/** How many values a JSON text holds, told before it is parsed: of millions, parsing alone takes seconds and gigabytes. */

/** JSON values of a request: ten thousand turns, each with its parts, are fewer. */
export const MOST_VALUES = 100_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What stands between values, or before the first one of several: comma, opening bracket and brace. */
const BEFORE_VALUE: ReadonlySet<number> = new Set([0x2c, 0x5b, 0x7b]);

/** Bytes between two turns of {@link countValues}: some milliseconds of the slowest. */
const STEP = 2 ** 20;

/** Whether a text has more than `most` values, those in arrays and objects counted; strings are passed over at once. */
export function holdsMoreValues(bytes: Uint8Array, most: number): boolean {
  const counting = countValues(bytes, most);
  for (;;) {
    const { done, value } = counting.next();
    if (done) return value;
  }
}

/** The same, a step at a time: who has something else to do, does it in between. */
export function* countValues(bytes: Uint8Array, most: number): Generator<void, boolean> {
  let count = 1;
  let isInString = false;
  let turn = STEP;
  for (let at = 0; at < bytes.length; ) {
    if (at >= turn) {
      yield;
      turn = at + STEP;
    }
    if (isInString) {
      const quote = bytes.indexOf(QUOTE, at);
      if (quote < 0) return false;
      let slashCount = 0;
      while (bytes[quote - 1 - slashCount] === BACKSLASH) if (++slashCount % STEP === 0) yield;
      isInString = slashCount % 2 === 1; // the quote is escaped
      at = quote + 1;
      continue;
    }
    const byte = bytes[at++] as number;
    if (byte === QUOTE) isInString = true;
    else if (BEFORE_VALUE.has(byte) && ++count > most) return true;
  }
  return false;
}
