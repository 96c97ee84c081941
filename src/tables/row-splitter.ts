/** Tables in text by RFC 4180: fields between separators, quoted ones with separators and line breaks in them. */

/** A row before anybody knows its columns; `line` is where it begins, from 1. */
export interface RawRow {
  readonly line: number;
  readonly fields: readonly string[];
}

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Splits text that comes in pieces, wherever they were cut. Lines end in LF, CRLF or CR alone. A quote inside a bare field
 * stands for itself, as spreadsheets and pandas read it. Rows without anything are passed over.
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
  /** Whether a carriage return came last: a newline behind it ends the same line. */
  #isBehindReturn = false;
  #heldLength = 0;

  /** @param separator one character, no quote */
  constructor(separator: string) {
    this.#separator = separator;
    this.#separatorCode = separator.charCodeAt(0);
  }

  /** Characters of the row that is not complete, separators too: fields that are empty take memory as well. */
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
        const isSameEnd = this.#isBehindReturn && text.charCodeAt(at) === NEWLINE;
        this.#isBehindReturn = false;
        if (isSameEnd) {
          at++;
          continue;
        }
        this.#place = text.charCodeAt(at) === QUOTE ? 'quoted' : 'bare';
        if (this.#place === 'bare') continue;
        this.#quoteLine = this.#line;
        at++;
      } else if (this.#place === 'closing') {
        this.#place = text.charCodeAt(at) === QUOTE ? 'quoted' : 'bare';
        if (this.#place === 'bare') continue;
        this.#take('"');
        at++;
      } else if (this.#place === 'quoted') {
        const end = text.indexOf('"', at);
        const part = text.slice(at, end < 0 ? text.length : end);
        this.#take(part);
        this.#countLines(part);
        if (end < 0) return;
        this.#isBehindReturn = false;
        this.#place = 'closing';
        at = end + 1;
      } else {
        const end = this.#endOfBare(text, at);
        this.#take(text.slice(at, end));
        if (end === text.length) return;
        at = end + 1;
        if (text[end] === this.#separator) this.#endField();
        else {
          this.#isBehindReturn = text.charCodeAt(end) === RETURN;
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

  /** Of a part of a field in quotes. */
  #countLines(part: string): void {
    if (part === '') return;
    if (this.#isBehindReturn && part.charCodeAt(0) === NEWLINE) this.#line--;
    this.#line += (part.match(/\r\n?|\n/g) ?? []).length;
    this.#isBehindReturn = part.endsWith('\r');
  }

  #endOfBare(text: string, from: number): number {
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE || code === RETURN || code === this.#separatorCode) return at;
    }
    return text.length;
  }

  #endField(): void {
    this.#fields.push(this.#field);
    this.#heldLength++;
    this.#field = '';
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
