/** What a HEIF file (ISO/IEC 23008-12) holds, from its boxes: AVIF and HEIC are the same container around other codecs. */

/** Brands of pictures in HEIF; those of HEVC tell its codec where the boxes do not. */
const HEVC_BRANDS: ReadonlySet<string> = new Set(['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'hevm', 'hevs']);
const HEIF_BRANDS: ReadonlySet<string> = new Set(['avif', 'avis', 'mif1', 'mif2', 'msf1', 'miaf', 'MA1A', 'MA1B']);

/** Coded items by their type, as people call the codec. */
const CODECS: Readonly<Record<string, string>> = {
  av01: 'AV1',
  hvc1: 'HEVC',
  hev1: 'HEVC',
  lhv1: 'HEVC',
  vvc1: 'VVC',
  evc1: 'EVC',
  avc1: 'AVC',
  jpeg: 'JPEG',
  j2k1: 'JPEG 2000',
  unci: 'nothing (unci)',
};

/** Boxes that are looked at, at each level: a file of empty ones has a hundred million. */
const MOST_BOXES = 4096;
const MOST_BRANDS = 64;

/** Bytes of a box before its content, where its size has 64 bits. */
const LONG_HEAD = 16;

interface Box {
  readonly type: string;
  /** Where its content begins and ends. */
  readonly at: number;
  readonly end: number;
}

/** The major brand, and those that it is compatible with; empty for a file that does not begin with them. */
export function brandsOf(bytes: Uint8Array): readonly string[] {
  const [first] = boxesOf(bytes, 0, bytes.length, 1);
  if (first?.type !== 'ftyp') return [];
  const brands = [letters(bytes, first.at)];
  for (let at = first.at + 8; at + 4 <= first.end && brands.length < MOST_BRANDS; at += 4)
    brands.push(letters(bytes, at));
  return brands;
}

export function isHeifBrand(brand: string): boolean {
  return HEVC_BRANDS.has(brand) || HEIF_BRANDS.has(brand);
}

/**
 * What the picture is compressed with, such as "AV1" or "HEVC": that of the primary item, or of the tiles that it is made of.
 * Where the file ends before it says so, its brand says it.
 *
 * @returns undefined where nothing tells
 */
export function heifCodec(bytes: Uint8Array): string | undefined {
  const meta = boxesOf(bytes, 0, bytes.length).find(({ type }) => type === 'meta');
  const parts = meta === undefined ? [] : boxesOf(bytes, meta.at + 4, meta.end);
  const items = itemsOf(bytes, parts);
  const primaryId = primaryOf(bytes, parts);
  const primary = items.find(({ id }) => id === primaryId);
  const coded = items.find(({ type }) => CODECS[type] !== undefined);
  const named = CODECS[primary?.type ?? ''] ?? CODECS[coded?.type ?? ''];
  return named ?? (brandsOf(bytes).some((brand) => HEVC_BRANDS.has(brand)) ? 'HEVC' : undefined);
}

/**
 * libvips looks at the major brand alone, in the one place where it usually stands, and knows few: one of an animation it
 * takes for no picture. A box with its size in 64 bits gets it in 32: what its head was is then a version and brands.
 */
export function nameAvif(bytes: Uint8Array): void {
  const [first] = boxesOf(bytes, 0, bytes.length, 1);
  if (first?.type !== 'ftyp') return;
  if (first.at === LONG_HEAD) {
    viewOf(bytes).setUint32(0, first.end);
    bytes.fill(0, 12, LONG_HEAD);
  }
  bytes.set(Buffer.from('avif'), 8);
}

function primaryOf(bytes: Uint8Array, parts: readonly Box[]): number | undefined {
  const box = parts.find(({ type }) => type === 'pitm');
  if (box === undefined || box.at + 8 > bytes.length) return undefined;
  const view = viewOf(bytes);
  return bytes[box.at] === 0 ? view.getUint16(box.at + 4) : view.getUint32(box.at + 4);
}

/** The items of `iinf`: a version, flags, how many there are, then a box for each. */
function itemsOf(bytes: Uint8Array, parts: readonly Box[]): readonly { readonly id: number; readonly type: string }[] {
  const box = parts.find(({ type }) => type === 'iinf');
  if (box === undefined) return [];
  const view = viewOf(bytes);
  return boxesOf(bytes, box.at + (bytes[box.at] === 0 ? 6 : 8), box.end).flatMap(({ type, at, end }) => {
    const isLong = bytes[at] === 3;
    const typeAt = at + (isLong ? 10 : 8);
    if (type !== 'infe' || typeAt + 4 > Math.min(end, bytes.length) || (bytes[at] ?? 0) < 2) return [];
    return [{ id: isLong ? view.getUint32(at + 4) : view.getUint16(at + 4), type: letters(bytes, typeAt) }];
  });
}

function boxesOf(bytes: Uint8Array, from: number, to: number, most = MOST_BOXES): readonly Box[] {
  const view = viewOf(bytes);
  const limit = Math.min(to, bytes.length);
  const boxes: Box[] = [];
  for (let at = from; at + 8 <= limit && boxes.length < most; ) {
    const short = view.getUint32(at);
    const headBytes = short === 1 ? LONG_HEAD : 8;
    if (at + headBytes > limit) break;
    const size = short === 1 ? Number(view.getBigUint64(at + 8)) : short === 0 ? limit - at : short;
    if (size < headBytes) break;
    boxes.push({ type: letters(bytes, at + 4), at: at + headBytes, end: Math.min(at + size, limit) });
    at += size;
  }
  return boxes;
}

function letters(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.subarray(at, at + 4)).toString('latin1');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
