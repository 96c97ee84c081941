/** Tables in text by RFC 4180: fields between separators, quoted ones with separators and line breaks in them. */

/** A row before anybody knows its columns; `line` is where it begins, from 1. */
export interface RawRow {
  readonly line: number;
  readonly fields: readonly string[];
}

const QUOTE = 0x22;
const NEWLINE = 0x0a;

/**
 * Splits text that comes in pieces, wherever they were cut. A quote inside a bare field stands for itself, as spreadsheets
 * and pandas read it. Rows without anything are passed over.
 */
export class RowSplitter {
  readonly #separator: string;
  readonly #separatorCode: number;
  /** Where in a field the next piece begins; `closing` is behind a quote, which ends the field or stands for itself. */
  #place: 'start' | 'bare' | 'quoted' | 'closing' = 'start';
  #line = 1;
  #rowLine = 1;
  #quoteLine = 1;
  #fields: string[] = [];
  #field = '';
  /** Of the field, what stood in quotes. */
  #quotedLength = 0;
  #heldLength = 0;

  /** @param separator one character, no quote */
  constructor(separator: string) {
    this.#separator = separator;
    this.#separatorCode = separator.charCodeAt(0);
  }

  /** Characters of the row that is not complete. */
  get heldLength(): number {
    return this.#heldLength;
  }

  /** Where the quote stands that is still open; null where none is. */
  get openQuoteLine(): number | null {
    return this.#place === 'quoted' ? this.#quoteLine : null;
  }

  /** Rows that are complete with this piece. */
  *push(text: string): Generator<RawRow, void> {
    for (let at = 0; at < text.length; ) {
      if (this.#place === 'start') {
        this.#place = text.charCodeAt(at) === QUOTE ? 'quoted' : 'bare';
        if (this.#place === 'bare') continue;
        this.#quoteLine = this.#line;
        at++;
      } else if (this.#place === 'closing') {
        this.#place = text.charCodeAt(at) === QUOTE ? 'quoted' : 'bare';
        if (this.#place === 'bare') {
          this.#quotedLength = this.#field.length;
          continue;
        }
        this.#take('"');
        at++;
      } else if (this.#place === 'quoted') {
        const end = text.indexOf('"', at);
        const part = text.slice(at, end < 0 ? text.length : end);
        this.#take(part);
        this.#line += countNewlines(part);
        if (end < 0) return;
        this.#place = 'closing';
        at = end + 1;
      } else {
        const end = this.#endOfBare(text, at);
        this.#take(text.slice(at, end));
        if (end === text.length) return;
        at = end + 1;
        if (text[end] === this.#separator) this.#endField();
        else {
          const isCarriageReturn = this.#field.length > this.#quotedLength && this.#field.endsWith('\r');
          if (isCarriageReturn) this.#field = this.#field.slice(0, -1);
          yield* this.#endRow();
        }
      }
    }
  }

  /** The last row, where no newline ended it. Of one whose quote is open nothing is given: see {@link openQuoteLine}. */
  *end(): Generator<RawRow, void> {
    if (this.#place !== 'quoted' && (this.#fields.length > 0 || this.#place !== 'start')) yield* this.#endRow();
  }

  #take(part: string): void {
    this.#field += part;
    this.#heldLength += part.length;
  }

  #endOfBare(text: string, from: number): number {
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE || code === this.#separatorCode) return at;
    }
    return text.length;
  }

  #endField(): void {
    this.#fields.push(this.#field);
    this.#field = '';
    this.#quotedLength = 0;
    this.#place = 'start';
  }

  *#endRow(): Generator<RawRow, void> {
    this.#endField();
    const row = { line: this.#rowLine, fields: this.#fields };
    this.#line++;
    this.#rowLine = this.#line;
    this.#fields = [];
    this.#heldLength = 0;
    if (row.fields.length > 1 || row.fields[0] !== '') yield row;
  }
}

function countNewlines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
