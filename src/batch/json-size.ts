/** How many values a JSON text holds, told before it is parsed: of millions, parsing alone takes seconds and gigabytes. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What stands between values, or before the first one of several: comma, opening bracket and brace. */
const BEFORE_VALUE: ReadonlySet<number> = new Set([0x2c, 0x5b, 0x7b]);

/** Whether a text has more than `most` values, those in arrays and objects counted; strings are passed over at once. */
export function holdsMoreValues(bytes: Uint8Array, most: number): boolean {
  let count = 1;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (BEFORE_VALUE.has(byte) && ++count > most) return true;
  }
  return false;
}

/** Where the quote stands that closes the string of the one at `at`. */
function endOfString(bytes: Uint8Array, at: number): number {
  for (let end = bytes.indexOf(QUOTE, at + 1); end >= 0; end = bytes.indexOf(QUOTE, end + 1)) {
    let slashCount = 0;
    while (bytes[end - 1 - slashCount] === BACKSLASH) slashCount++;
    if (slashCount % 2 === 0) return end;
  }
  return bytes.length;
}
