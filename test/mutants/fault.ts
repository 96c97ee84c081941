/** Small faults in a source file: what stands there, what is put in its place, and how both are told. */

export interface Fault {
  /** Below the root, with forward slashes. */
  readonly file: string;
  readonly kind: string;
  /** What is replaced: characters of the file. */
  readonly start: number;
  readonly end: number;
  readonly after: string;
  /** The expression or statement that it stands in, where it can be told that a test came there. */
  readonly site?: { readonly start: number; readonly end: number; readonly isStatement: boolean };
}

/** The text with the fault in it. */
export function planted(text: string, { start, end, after }: Fault): string {
  return text.slice(0, start) + after + text.slice(end);
}

/** A fault in words that stay when lines above it come or go. */
export interface Told {
  readonly file: string;
  /** The lines that it changes, without the white space around them. */
  readonly before: string;
  readonly after: string;
}

export function told(text: string, fault: Fault): Told {
  const from = text.lastIndexOf('\n', fault.start - 1) + 1;
  const next = text.indexOf('\n', fault.end);
  const to = next < 0 ? text.length : next;
  return {
    file: fault.file,
    before: plain(text.slice(from, to)),
    after: plain(text.slice(from, fault.start) + fault.after + text.slice(fault.end, to)),
  };
}

export function lineOf(text: string, { start }: Fault): number {
  return text.slice(0, start).split('\n').length;
}

function plain(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}
