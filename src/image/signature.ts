/** What a file is by its first bytes: a format that is read, or another, so that a refusal can say its name and what to do. */
import { brandsOf, isHeifBrand } from './heif.js';

export interface Signature {
  /** As a message calls it. */
  readonly name: string;
  /** What to do with a format that is not read; null for one that is. */
  readonly advice: string | null;
}

const CONVERT = 'convert it to JPEG or PNG first.';
const DRAW = 'draw it as a PNG first.';
const FRAME = 'save a frame of it as a PNG first.';
const DEVELOP = 'develop it to JPEG or PNG first.';
const UNPACK = 'unpack it first.';
const FETCH = 'fetch the picture itself.';

/** First bytes, byte for letter, where they stand (`?` is any), the name, what to do. The first that fits counts. */
const BEGINNINGS: readonly (readonly [letters: string, name: string, advice: string | null])[] = [
  ['\xff\xd8\xff', 'JPEG', null],
  ['\x89PNG\r\n\x1a\n', 'PNG', null],
  ['RIFF????WEBP', 'WebP', null],
  ['GIF87a', 'GIF', null],
  ['GIF89a', 'GIF', null],
  ['II*\0', 'TIFF', null],
  ['MM\0*', 'TIFF', null],
  ['II+\0', 'TIFF', null],
  ['MM\0+', 'TIFF', null],
  ['\xff\x0a', 'JPEG XL', CONVERT],
  ['\0\0\0\x0cJXL ', 'JPEG XL', CONVERT],
  ['\0\0\0\x0cjP  ', 'JPEG 2000', CONVERT],
  ['\xffO\xffQ', 'JPEG 2000', CONVERT],
  ['II\xbc', 'JPEG XR', CONVERT],
  ['8BPS', 'a Photoshop document', CONVERT],
  ['gimp xcf', 'a GIMP document', CONVERT],
  ['\0\0\x02\0\0\0\0\0', 'TGA', CONVERT],
  ['\0\0\x01\0', 'ICO', CONVERT],
  ['\0\0\x02\0', 'a cursor (CUR)', CONVERT],
  ['\x0a?\x01\x01', 'PCX', CONVERT],
  ['\x0a?\x01\x08', 'PCX', CONVERT],
  ['icns', 'ICNS', CONVERT],
  ['qoif', 'QOI', CONVERT],
  ['DDS ', 'DDS', CONVERT],
  ['v/1\x01', 'OpenEXR', CONVERT],
  ['#?RADIANCE', 'Radiance HDR', CONVERT],
  ['#?RGBE', 'Radiance HDR', CONVERT],
  ['FLIF', 'FLIF', CONVERT],
  ['BPG\xfb', 'BPG', CONVERT],
  ['AT&TFORM', 'DjVu', CONVERT],
  ['SIMPLE  =', 'FITS', CONVERT],
  ['\x01\xda', 'SGI', CONVERT],
  ['FUJIFILMCCD-RAW', "a camera's raw file (RAF)", DEVELOP],
  ['IIU\0', "a camera's raw file (RW2)", DEVELOP],
  ['IIRO', "a camera's raw file (ORF)", DEVELOP],
  ['%PDF-', 'PDF', DRAW],
  ['%!PS', 'PostScript', DRAW],
  ['\xd7\xcd\xc6\x9a', 'WMF', DRAW],
  ['\x1aE\xdf\xa3', 'a video (WebM, Matroska)', FRAME],
  ['RIFF????AVI ', 'a video (AVI)', FRAME],
  ['PK\x03\x04', 'an archive (ZIP)', UNPACK],
  ['\x1f\x8b', 'compressed (gzip)', UNPACK],
  ['version https://git-lfs', 'a pointer of Git LFS', 'fetch the file itself with: git lfs pull'],
];

/** Two letters are a weak sign: a bitmap has a header behind them. */
const LEAST_BITMAP = 30;

/** Letters that a text is looked through for what it is; where a drawing names itself behind remarks, it is further in. */
const TEXT_LETTERS = 1024;

/** The end of a TGA file. */
const TGA_END = 'TRUEVISION-XFILE.\0';

/** @returns undefined for what is no format that is known here */
export function signatureOf(bytes: Uint8Array): Signature | undefined {
  const start = latin1(bytes.subarray(0, 24));
  const found = BEGINNINGS.find(([letters]) => begins(start, letters));
  if (found !== undefined) return { name: found[1], advice: found[2] };
  if (start.startsWith('BM') && bytes.length > LEAST_BITMAP) return { name: 'BMP', advice: null };
  if (start.slice(4, 8) === 'ftyp') return ofBrands(brandsOf(bytes));
  if (/^P[1-7]\s/.test(start) || /^P[Ff]\n/.test(start)) return { name: 'PNM (PPM, PGM, PBM)', advice: CONVERT };
  const isTga = latin1(bytes.subarray(-TGA_END.length)) === TGA_END;
  return isTga ? { name: 'TGA', advice: CONVERT } : ofText(bytes);
}

function ofBrands(brands: readonly string[]): Signature {
  if (brands.some(isHeifBrand)) return { name: 'HEIF', advice: null };
  if (brands[0] === 'crx ') return { name: "a camera's raw file (CR3)", advice: DEVELOP };
  return { name: `a video (${brands[0] === 'qt  ' ? 'QuickTime' : 'MP4'})`, advice: FRAME };
}

function ofText(bytes: Uint8Array): Signature | undefined {
  const isWide = bytes[0] === 0xff && bytes[1] === 0xfe;
  const head = bytes.subarray(0, TEXT_LETTERS);
  const text = (isWide ? Buffer.from(head).toString('utf16le') : latin1(head)).replace(
    /^(?:\ufeff|\xef\xbb\xbf)?\s*/,
    '',
  );
  if (/^<!doctype html|^<html/i.test(text)) return { name: 'a web page (HTML)', advice: FETCH };
  if (text.startsWith('<') && /<svg[\s>]/i.test(text)) return { name: 'SVG', advice: DRAW };
  if (/^<\?xml/i.test(text)) return { name: 'XML', advice: FETCH };
  if (/^#define \w+_width /.test(text)) return { name: 'XBM', advice: CONVERT };
  if (text.startsWith('/* XPM */')) return { name: 'XPM', advice: CONVERT };
  if (/^data:image\//i.test(text))
    return { name: 'a data: URL', advice: 'give the text itself in place of a file, or decode it to a file first.' };
  return undefined;
}

function begins(start: string, letters: string): boolean {
  if (start.length < letters.length) return false;
  for (let at = 0; at < letters.length; at++) if (letters[at] !== '?' && letters[at] !== start[at]) return false;
  return true;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
