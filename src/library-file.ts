/**
 * A look at a shared library before the system opens it. The system maps a file as its headers say: one that was cut off
 * ends the process (SIGBUS) where an error is expected.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** The first bytes of a library, by the form of the system. */
const MAGIC = {
  ELF: ['7f454c46'],
  'Mach-O': ['cffaedfe', 'cafebabe'],
  PE: ['4d5a'],
} as const;

/** Sizes and places in an ELF file of 64 bits (System V ABI, "Object Files"). */
const ELF = { headerBytes: 64, segmentBytes: 56, loadedSegment: 1 } as const;

/**
 * Why a file is no whole library of this system, or null. Of an ELF file every loaded segment and the table of sections,
 * which comes last, must lie within it; the loaders of macOS and Windows look for themselves.
 *
 * @returns what was received, to go after "received"
 */
export function libraryProblem(path: string, platform: string = process.platform): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'no file there';
  if (!found.isFile()) return 'no regular file'; // a pipe would be waited for
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    return contentProblem(file, platform);
  } catch (error) {
    return `a file that cannot be read (${error instanceof Error ? error.message : String(error)})`;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function contentProblem(file: number, platform: string): string | null {
  const form = platform === 'darwin' ? 'Mach-O' : platform === 'win32' ? 'PE' : 'ELF';
  const { size } = fstatSync(file);
  const header = bytesAt(file, 0, ELF.headerBytes);
  const start = header.toString('hex');
  if (!MAGIC[form].some((magic) => start.startsWith(magic))) {
    return `a file of ${size} bytes that is no library of ${platform} (${form})`;
  }
  if (form !== 'ELF') return null;
  const end = elfEnd(file, header);
  return end <= size ? null : `a file that is cut off: ${size} bytes where ${end} or more belong to it`;
}

/** Where the file must reach to at least. Of 32 bits, or with the other order of bytes, the system refuses it by itself. */
function elfEnd(file: number, header: Buffer): number {
  if (header.length < ELF.headerBytes) return ELF.headerBytes;
  const isOurs = header[4] === 2 && header[5] === 1;
  if (!isOurs) return 0;
  const wide = (bytes: Buffer, at: number) => Number(bytes.readBigUInt64LE(at));
  const sectionsEnd = wide(header, 40) + header.readUInt16LE(58) * header.readUInt16LE(60);
  const segmentsAt = wide(header, 32);
  const [segmentBytes, segmentCount] = [header.readUInt16LE(54), header.readUInt16LE(56)];
  if (segmentBytes !== ELF.segmentBytes) return sectionsEnd; // refused by the system
  const table = bytesAt(file, segmentsAt, segmentBytes * segmentCount);
  let end = Math.max(sectionsEnd, segmentsAt + segmentBytes * segmentCount);
  for (let at = 0; at + segmentBytes <= table.length; at += segmentBytes) {
    if (table.readUInt32LE(at) === ELF.loadedSegment) end = Math.max(end, wide(table, at + 8) + wide(table, at + 32));
  }
  return end;
}

/** Fewer where the file ends earlier. */
function bytesAt(file: number, at: number, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  return at > Number.MAX_SAFE_INTEGER ? Buffer.alloc(0) : bytes.subarray(0, readSync(file, bytes, 0, count, at));
}
