/** Pictures as they are asked about: a name, and the file itself as a data URL. */
import { newId } from './id.js';
import type { Facts, Failure } from './wire.js';

export interface Picture {
  readonly id: string;
  readonly name: string;
  readonly dataUrl: string;
  /** What may be wrong with it, in a sentence; absent where nothing is known to be. */
  readonly doubt?: string;
}

/** A file that was not taken. */
export interface Refused {
  readonly id: string;
  readonly name: string;
  /** Why, in a sentence. */
  readonly sentence: string;
}

export interface Taken {
  readonly pictures: readonly Picture[];
  readonly refused: readonly Refused[];
}

/** What the library reads; what a browser cannot show of it is sent all the same. */
const TYPES = /^image\/(jpeg|png|webp|avif|tiff|bmp|x-ms-bmp|gif)$/;
const NAMES = /\.(jpe?g|png|webp|avif|tiff?|bmp|gif)$/i;
export const ACCEPTED = 'image/jpeg,image/png,image/webp,image/avif,image/tiff,image/bmp,image/gif';

/** What every browser shows: where one cannot, the file is damaged. */
const SHOWN = /^image\/(jpeg|png|webp|gif)$/;
/** For a picture of the gallery. */
export const FETCHING_MS = 10_000;

/** Of one picture, where the server names no bound: what the library takes. */
const MOST_BYTES = 512 * 2 ** 20;

/** Reads files that were chosen, dropped or pasted. */
export async function takePictures(files: Iterable<File>, facts: Facts | null): Promise<Taken> {
  const pictures: Picture[] = [];
  const refused: Refused[] = [];
  const most = Math.min(MOST_BYTES, facts?.limits.maxBodyBytes ?? MOST_BYTES);
  for (const file of files) {
    const name = file.name === '' ? 'pasted picture' : file.name;
    const refuse = (why: string) => refused.push({ id: newId(), name, sentence: `${name} ${why}` });
    try {
      const why = await reasonAgainst(file, most);
      if (why !== null) {
        refuse(why);
        continue;
      }
      const isWhole = !SHOWN.test(file.type) || (await canBeShown(file));
      const doubt = `${name} may be damaged: this browser cannot read all of it. Ask about it, or take it away.`;
      pictures.push({ id: newId(), name, dataUrl: await dataUrlOf(file), ...(!isWhole && { doubt }) });
    } catch {
      refuse('could not be read. Is the file still there?');
    }
  }
  return { pictures, refused };
}

/** Why a file cannot be taken; null where nothing is known against it. */
async function reasonAgainst(file: File, most: number): Promise<string | null> {
  const first = [...new Uint8Array(await file.slice(0, 12).arrayBuffer())];
  const begins = (letters: string) =>
    [...letters].every((letter, at) => letter === '?' || letter.charCodeAt(0) === first[at]);
  if (HEIC.test(file.type) || HEIC_BEGINNINGS.some(begins))
    return 'is HEIC, as many phones keep photographs, which is not read here. Save it as JPEG first.';
  if (!TYPES.test(file.type) && !(file.type === '' && NAMES.test(file.name)))
    return `is no picture that can be read. ${TAKE}`;
  if (base64Length(file.size) > most)
    return `is too large: ${megabytes(file.size)}, and this server takes ${megabytes(most * 0.75)}.`;
  return BEGINNINGS.some(begins) ? null : `is no picture, whatever its name says. ${TAKE}`;
}

/** The same container as AVIF, around another codec. */
const HEIC = /^image\/hei[cf]/;
const HEIC_BEGINNINGS = ['heic', 'heix', 'hevc', 'heim', 'heis'].map((brand) => `????ftyp${brand}`);
const TAKE = 'Take JPEG, PNG, WebP, AVIF, TIFF, BMP or GIF.';

/** First bytes of the formats, byte for letter; `?` is any. */
const BEGINNINGS = [
  '\xff\xd8\xff',
  '\x89PNG\r\n\x1a\n',
  'RIFF????WEBP',
  '????ftyp',
  'II*\0',
  'MM\0*',
  'II+\0',
  'MM\0+',
  'BM',
  'GIF8',
];

/** Whether the browser makes pixels of all of it. */
async function canBeShown(file: File): Promise<boolean> {
  try {
    (await createImageBitmap(file)).close();
    return true;
  } catch {
    return false;
  }
}

/** A picture of the gallery, fetched from the server of this page. */
export async function fetchPicture(url: string, name: string): Promise<Picture> {
  const id = newId();
  if (url.startsWith('data:')) return { id, name, dataUrl: url };
  const response = await fetch(new URL(url, document.baseURI), { signal: AbortSignal.timeout(FETCHING_MS) });
  if (!response.ok) throw new DOMException(`status ${response.status}`, 'NetworkError');
  return { id, name, dataUrl: await dataUrlOf(await response.blob()) };
}

/**
 * What a server says of one of the pictures, with its name, which the server does not know.
 *
 * @param pictures of the request, in its order
 */
export function withName({ message, param }: Failure, pictures: readonly Picture[]): string {
  const [, at] = /^image_url\.(\d+)$/.exec(param ?? '') ?? [];
  const named = at === undefined ? undefined : pictures[Number(at)];
  return named === undefined ? message : `${named.name}: ${message.replace(/^request: [\w.]+: /, '')}`;
}

/** Bytes of a text in base64. */
function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MB`;
}

/** What a blob holds, as an address. */
export function dataUrlOf(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
