/** Whether a TIFF's samples are YCbCr that libtiff hands over as they are: sharp would take them for red, green and blue. */

const PHOTOMETRIC = 262;
const COMPRESSION = 259;
const YCBCR = 6;
/** Old and new JPEG, whose decoder makes RGB of it. */
const JPEG = [6, 7];

/** @returns false too for what is no TIFF, or cut off */
export function holdsRawYcbcr(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const order = bytes.length < 16 ? '' : Buffer.from(bytes.subarray(0, 2)).toString('latin1');
  if (order !== 'II' && order !== 'MM') return false;
  const isLittle = order === 'II';
  const version = view.getUint16(2, isLittle);
  if (version !== 42 && version !== 43) return false;
  const isBig = version === 43;
  const at = isBig ? Number(view.getBigUint64(8, isLittle)) : view.getUint32(4, isLittle);
  const [first, entryBytes] = isBig ? [at + 8, 20] : [at + 2, 12];
  if (first > bytes.length) return false;
  const count = isBig ? Number(view.getBigUint64(at, isLittle)) : view.getUint16(at, isLittle);
  const values = new Map<number, number>();
  for (
    let entry = first;
    entry < first + count * entryBytes && entry + entryBytes <= bytes.length;
    entry += entryBytes
  ) {
    values.set(view.getUint16(entry, isLittle), view.getUint16(entry + entryBytes - (isBig ? 8 : 4), isLittle));
  }
  return values.get(PHOTOMETRIC) === YCBCR && !JPEG.includes(values.get(COMPRESSION) ?? 1);
}
