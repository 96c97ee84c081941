/**
 * JSON of megabytes, read in steps of some milliseconds: what makes it large is a few long texts, pictures above all. They are
 * cut out, each is read by itself a piece at a time, and what is left is parsed at once.
 */
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { UsageError } from '../errors.js';

/** Texts of at least so many bytes are cut out. */
const LONG = 256;
/** Bytes of a text that are read at once. */
const PIECE = 2 ** 18;
/** Bytes that are looked through before the event loop has its turn. */
const STEP = 2 ** 20;
/** A text takes as long as so many bytes to look through, however short it is. */
const TEXT_COST = 8;
/** Long texts that are cut out before the event loop has its turn. */
const PLACES_AT_ONCE = 2048;
/** Bytes of what is left at most: some twenty milliseconds of the slowest. */
const MOST_LEFT = 4 * 2 ** 20;

const [QUOTE, BACKSLASH, COLON, SMALL_U] = [0x22, 0x5c, 0x3a, 0x75];
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** Where a text stands, without its quotes. */
interface Place {
  readonly start: number;
  readonly end: number;
}

/** What is left of it, and how to put the long texts back. */
export interface LargeJson {
  /** The value, each long text in it named by a mark of its own. */
  readonly value: unknown;
  /** The value with the long texts in their places: it is changed. Call it once its depth is known. */
  whole(): Promise<unknown>;
}

/**
 * @param bytes of UTF-8
 * @throws SyntaxError for what is no JSON; TypeError for what is no UTF-8; RangeError for what is nested too deep; UsageError
 * ERR_INVALID_REQUEST for too much that is no long text
 */
export async function readLargeJson(bytes: Uint8Array): Promise<LargeJson> {
  const places = await longTexts(bytes);
  const mark = `${randomUUID()}:`;
  const left = await withMarks(bytes, places, mark);
  const text = new TextDecoder('utf-8', { fatal: true }).decode(left);
  await setImmediate();
  const value: unknown = JSON.parse(text);
  const whole = async () => {
    const texts: string[] = [];
    let work = 0;
    for (const place of places) {
      texts.push(await textAt(bytes, place));
      work += place.end - place.start + LONG; // a short one takes its time too
      if (work < PIECE) continue;
      work = 0;
      await setImmediate();
    }
    return restored(value, (said) => (said.startsWith(mark) ? (texts[Number(said.slice(mark.length))] ?? said) : said));
  };
  return { value, whole };
}

/** Every long text that is a value; names stay where they are. Whatever is walked, a step of it is followed by a turn. */
async function longTexts(bytes: Uint8Array): Promise<Place[]> {
  const places: Place[] = [];
  let turn = STEP;
  /** Whether a colon follows the quote there. */
  const isName = async (quote: number) => {
    let at = quote + 1;
    for (; BLANKS.has(bytes[at] ?? 0); at++) {
      if (at < turn) continue;
      await setImmediate();
      turn = at + STEP;
    }
    return bytes[at] === COLON;
  };
  let start = bytes.indexOf(QUOTE) + 1;
  for (let quote = start - 1; start > 0; ) {
    quote = bytes.indexOf(QUOTE, quote + 1);
    if (quote < 0) break; // the parser says what is wrong
    if (quote >= turn) {
      await setImmediate();
      turn = quote + STEP;
    }
    let slashCount = 0;
    while (bytes[quote - 1 - slashCount] === BACKSLASH) if (++slashCount % STEP === 0) await setImmediate();
    turn -= TEXT_COST;
    if (slashCount % 2 === 1) continue;
    if (quote - start >= LONG && !(await isName(quote))) places.push({ start, end: quote });
    quote = bytes.indexOf(QUOTE, quote + 1);
    start = quote + 1;
  }
  return places;
}

/**
 * The bytes with the mark and its number in the place of each long text.
 *
 * @throws UsageError ERR_INVALID_REQUEST for more than are parsed at once
 */
async function withMarks(bytes: Uint8Array, places: readonly Place[], mark: string): Promise<Uint8Array> {
  const marks = places.map((_, index) => `${mark}${index}`);
  const length = places.reduce(
    (sum, { start, end }, index) => sum - (end - start) + (marks[index] ?? '').length,
    bytes.length,
  );
  if (length > MOST_LEFT)
    throw new UsageError(
      'ERR_INVALID_REQUEST',
      `request: expected at most ${MOST_LEFT} bytes beside texts of ${LONG} and more, received ${length}. Shorten the conversation.`,
    );
  const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const left = Buffer.alloc(length);
  let [read, written] = [0, 0];
  for (const [index, { start, end }] of places.entries()) {
    written += from.copy(left, written, read, start);
    written += left.write(marks[index] ?? '', written, 'latin1');
    read = end;
    if (index % PLACES_AT_ONCE === 0) await setImmediate();
  }
  from.copy(left, written, read);
  return left;
}

/** @throws SyntaxError, TypeError as {@link readLargeJson} */
async function textAt(bytes: Uint8Array, { start, end }: Place): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const pieces: string[] = [];
  for (let at = start; at < end; ) {
    const to = pieceEnd(bytes, at, end);
    pieces.push(JSON.parse(`"${decoder.decode(bytes.subarray(at, to))}"`) as string);
    at = to;
    if (to - start >= PIECE) await setImmediate();
  }
  return pieces.join('');
}

/** Where a piece ends: within no character, and within no escape, of which the longest is a backslash, u and four digits. */
function pieceEnd(bytes: Uint8Array, start: number, end: number): number {
  let to = start + PIECE;
  if (to >= end) return end;
  for (let back = 0; back < 3 && ((bytes[to] ?? 0) & 0xc0) === 0x80; back++) to--;
  for (let at = to - 1; at > to - 6; at--) {
    if (bytes[at] !== BACKSLASH) continue;
    let before = at;
    while (before > start && bytes[before - 1] === BACKSLASH) before--;
    if ((at - before) % 2 === 1) return to; // the second of a pair
    const length = bytes[at + 1] === SMALL_U ? 6 : 2;
    return at + length > to ? at : to;
  }
  return to;
}

/** The value with each of its texts, names apart, as `put` has it: changed in its place. */
function restored(value: unknown, put: (text: string) => string): unknown {
  if (typeof value === 'string') return put(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) value[at] = restored(value[at], put);
    return value;
  }
  const fields = value as Record<string, unknown>;
  for (const [name, field] of Object.entries(fields)) fields[name] = restored(field, put);
  return value;
}
