/** A picture as a cell holds it: bytes, a path, base64, or { bytes, path } as Hugging Face's datasets saves it. */
import { isRecord } from '../json.js';

/** Where the picture is. */
export type PictureCell = { readonly bytes: Uint8Array } | { readonly path: string };

/** How base64 of JPEG, PNG, GIF, WebP and BMP begins. */
const BASE64_PICTURE = /^(\/9j\/|iVBORw0KGgo|R0lGOD|UklGR|Qk)/;

/** A text this short is a path, whatever it begins with. */
const SHORTEST_BASE64 = 64;

/** What a cell says of its picture; null for what says nothing of one. A URL is a path here. */
export function pictureOf(cell: unknown): PictureCell | null {
  if (cell instanceof Uint8Array) return cell.length > 0 ? { bytes: cell } : null;
  if (typeof cell === 'string') {
    if (cell === '') return null;
    return isBase64Picture(cell) ? { bytes: Buffer.from(cell, 'base64') } : { path: cell };
  }
  if (!isRecord(cell)) return null;
  const { bytes, path } = cell;
  const held = bytes instanceof Uint8Array || typeof bytes === 'string' ? pictureOf(bytes) : null;
  if (held !== null && 'bytes' in held) return held;
  return typeof path === 'string' && path !== '' ? { path } : null;
}

function isBase64Picture(text: string): boolean {
  if (text.length < SHORTEST_BASE64 || !BASE64_PICTURE.test(text)) return false;
  // A few characters tell enough: what is no picture after all, decoding refuses.
  return (
    /^[A-Za-z0-9+/]+$/.test(text.slice(0, SHORTEST_BASE64)) && /^[A-Za-z0-9+/=\s]*$/.test(text.slice(-SHORTEST_BASE64))
  );
}
