/** What a TIFF's first directory says of forms that libtiff or libvips gives wrongly, or not at all. */

const SUBFILE_TYPE = 254;
const BITS = 258;
const COMPRESSION = 259;
const PHOTOMETRIC = 262;
const COLOUR_MAP = 320;
const DNG_VERSION = 50706;
const YCBCR = 6;
const PALETTE = 3;

/** Old and new JPEG, whose decoder makes RGB of YCbCr. */
const JPEG: readonly number[] = [6, 7];

/** Compressions that sharp's libtiff lacks. */
const UNREAD_COMPRESSIONS: Readonly<Record<number, string>> = {
  9: 'JBIG',
  10: 'JBIG',
  33003: 'JPEG 2000',
  33004: 'JPEG 2000',
  33005: 'JPEG 2000',
  34661: 'JBIG',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34892: 'lossy JPEG of DNG',
  34925: 'LZMA',
  50000: 'Zstandard',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
};

/** Bytes of a value by its type: BYTE, SHORT, LONG. */
const TYPE_BYTES: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4 };

/** Of NewSubfileType: a picture of lower resolution of another in the file. */
const REDUCED = 1;

interface Entry {
  /** The first value where the entry itself holds it, else part of where it stands; 0 of another type. */
  readonly value: number;
  readonly count: number;
}

/**
 * Why a TIFF is not read, as the end of "The picture is a TIFF ...".
 *
 * @returns undefined where nothing speaks against it, too where the file is cut off
 */
export function unreadTiff(bytes: Uint8Array): string | undefined {
  const directory = directoryOf(bytes);
  const value = (tag: number) => directory.get(tag)?.value;
  const compression = value(COMPRESSION) ?? 1;
  const named = UNREAD_COMPRESSIONS[compression];
  if (named !== undefined) return `compressed with ${named}, which is not read here`;
  if (directory.has(DNG_VERSION) || ((value(SUBFILE_TYPE) ?? 0) & REDUCED) !== 0)
    return "whose first picture is a smaller copy of another, as in a camera's raw file, which is not read here";
  const photometric = value(PHOTOMETRIC);
  // libtiff hands it over as it is, and libvips takes it for red, green and blue.
  if (photometric === YCBCR && !JPEG.includes(compression)) return 'of YCbCr samples, which are not read here';
  if (photometric !== PALETTE) return undefined;
  const expected = 3 * 2 ** Math.min(value(BITS) ?? 1, 16);
  const { count } = directory.get(COLOUR_MAP) ?? { count: 0 };
  // libtiff drops a palette of another length, and libvips takes the indices for grey.
  return count === expected ? undefined : `whose palette has ${count} values where its samples need ${expected}`;
}

function directoryOf(bytes: Uint8Array): ReadonlyMap<number, Entry> {
  const entries = new Map<number, Entry>();
  if (bytes.length < 16) return entries;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = bytes[0] === 0x49;
  const isBig = view.getUint16(2, isLittle) === 43;
  const at = isBig ? Number(view.getBigUint64(8, isLittle)) : view.getUint32(4, isLittle);
  const [first, entryBytes] = isBig ? [at + 8, 20] : [at + 2, 12];
  if (first > bytes.length) return entries;
  const count = isBig ? Number(view.getBigUint64(at, isLittle)) : view.getUint16(at, isLittle);
  const end = Math.min(first + Math.min(count, 0xffff) * entryBytes, bytes.length - entryBytes + 1);
  for (let entry = first; entry < end; entry += entryBytes) {
    const [countFrom, valueFrom] = [entry + 4, entry + entryBytes - (isBig ? 8 : 4)];
    const tag = view.getUint16(entry, isLittle);
    if (entries.has(tag)) continue; // as libtiff does: of two the first counts
    entries.set(tag, {
      value: valueAt(view, valueFrom, view.getUint16(entry + 2, isLittle), isLittle),
      count: isBig ? Number(view.getBigUint64(countFrom, isLittle)) : view.getUint32(countFrom, isLittle),
    });
  }
  return entries;
}

function valueAt(view: DataView, at: number, type: number, isLittle: boolean): number {
  const bytes = TYPE_BYTES[type];
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, isLittle);
  return bytes === 4 ? view.getUint32(at, isLittle) : 0;
}
