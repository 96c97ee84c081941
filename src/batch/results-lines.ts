/** Reading results files: each line an answer, checked as far as others rely on it. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { FileError, throwIfAborted } from '../errors.js';
import { describePath } from '../options.js';
import { checkRegular } from '../regular-file.js';
import { Turns } from '../turns.js';
import type { AnswerLine } from './answer-line.js';
import { readLines } from './line-reader.js';

/** A line of results may hold the trace of a long search, but not this. */
const MAX_LINE_BYTES = 2 ** 29;

const judgement = z.looseObject({ score: z.number(), isUnsafe: z.boolean() }).nullable();

/** What makes a line a line of results; the rest is as whoever wrote it left it. */
const lineSchema = z.looseObject({
  id: z.string().nullable(),
  line: z.int().min(1),
  digest: z.string().min(1),
  text: z.string().nullable(),
  stopReason: z.enum(['end', 'sequence', 'refusal', 'length', 'context']).nullable(),
  verdict: z.looseObject({ action: z.string(), picture: judgement, answer: judgement, final: judgement }).nullable(),
  error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
});

/** Lines of earlier forms, which may not tell why an answer ends, and whose verdicts are others; those of today are some of them. */
export const EARLIER_LINE = lineSchema.omit({ stopReason: true, verdict: true });

/** An answer and where it stands in its file. */
export interface PlacedLine {
  readonly answer: AnswerLine;
  /** From 1. */
  readonly number: number;
  readonly offset: number;
  /** Without its newline. */
  readonly byteCount: number;
}

/**
 * The answers of a results file, in its order; a torn last line, which a killed or running process leaves, is left out.
 *
 * @throws FileError ERR_FILE_READ, ERR_FILE_INVALID with the line that is none
 */
export async function* readAnswers(path: string): AsyncGenerator<AnswerLine, void> {
  for await (const { answer } of placedLines(path)) yield answer;
}

/** As {@link readAnswers}, with the place of each. */
export async function* placedLines(path: string, schema: z.ZodType = lineSchema): AsyncGenerator<PlacedLine, void> {
  try {
    await checkRegular(path);
    const turns = new Turns();
    const stream = createReadStream(path, { highWaterMark: 2 ** 18 });
    for await (const line of readLines(stream, MAX_LINE_BYTES)) {
      if (turns.isDue) await turns.give(); // pieces of a file come faster than their lines are parsed
      if (!line.endsInNewline) return;
      const { number, offset, byteCount } = line;
      yield { answer: parse(line.bytes, path, number, schema), number, offset, byteCount };
    }
  } catch (cause) {
    if (cause instanceof FileError || (cause as NodeJS.ErrnoException).syscall === undefined) throw cause;
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): FileError {
  const message = `Expected to read ${describePath(path)}, but it failed: ${(cause as Error).message}.`;
  return new FileError('ERR_FILE_READ', message, { cause });
}

/**
 * Bytes of a torn last line.
 *
 * @param name what a message calls the file
 */
export async function tornBytes(path: string, name: string): Promise<number> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw unreadable(name, cause);
  });
  try {
    const { size } = await handle.stat();
    // From behind, in pieces: only the last line can lack its newline.
    const piece = Buffer.alloc(2 ** 16);
    for (let end = size; end > 0; end -= Math.min(end, piece.length)) {
      const start = Math.max(0, end - piece.length);
      const { bytesRead } = await handle.read(piece, 0, end - start, start);
      const newline = piece.subarray(0, bytesRead).lastIndexOf(0x0a);
      if (newline >= 0) return size - (start + newline + 1);
    }
    return size;
  } finally {
    await handle.close();
  }
}

function parse(bytes: Uint8Array | null, path: string, number: number, schema: z.ZodType): AnswerLine {
  let cause: unknown;
  try {
    if (bytes !== null) {
      const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
      const parsed = schema.safeParse(value);
      if (parsed.success) return value as AnswerLine;
      cause = parsed.error;
    }
  } catch (error) {
    cause = error;
  }
  throw new FileError(
    'ERR_FILE_INVALID',
    `${describePath(path)}, line ${number}: expected an answer of eta-vlm batch, received something else. Was the file changed? Take the line away and resume, and its request is asked again.`,
    { cause },
  );
}

/** A line of a file, by its place. */
export interface LineSource extends Pick<PlacedLine, 'offset' | 'byteCount'> {
  readonly path: string;
}

/** Bytes gathered before they are given out. */
const CHUNK_BYTES = 2 ** 20;

/**
 * The lines, each with its newline, one behind the other in chunks.
 *
 * @throws FileError ERR_FILE_READ, also for a file that was cut since its lines were looked at; AbortError
 */
export async function* bytesOf(sources: Iterable<LineSource>, signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const handles = new Map<string, FileHandle>();
  let gathered: Uint8Array[] = [];
  let byteCount = 0;
  try {
    for (const source of sources) {
      throwIfAborted(signal);
      const refuse = (cause: unknown) => {
        throw unreadable(source.path, cause);
      };
      const handle = handles.get(source.path) ?? (await open(source.path, 'r').catch(refuse));
      handles.set(source.path, handle);
      const bytes = await wholeLine(handle, source).catch(refuse);
      gathered.push(bytes);
      byteCount += bytes.length;
      if (byteCount < CHUNK_BYTES) continue;
      yield Buffer.concat(gathered);
      gathered = [];
      byteCount = 0;
    }
    yield Buffer.concat(gathered);
  } finally {
    for (const handle of handles.values()) await handle.close();
  }
}

/** With its newline; a network folder may give it in pieces. */
async function wholeLine(handle: FileHandle, { offset, byteCount }: LineSource): Promise<Uint8Array> {
  const bytes = Buffer.alloc(byteCount + 1);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length, offset + length);
    if (bytesRead === 0) throw new RangeError('it was cut meanwhile');
    length += bytesRead;
  }
  return bytes;
}
