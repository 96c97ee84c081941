/** Requests about the miniature's pictures, each time with copies of them that nobody saw before. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type GalleryRequest, galleryRequests } from '../gallery-requests.js';
import { newPicture } from './questions.js';

/** Pictures of every kind: they stand kind by kind. */
const STRIDE = 3;

/** Requests about the same picture share its copy, as they share the picture. */
export async function changedGallery(folder: string, count: number, turn: number): Promise<GalleryRequest[]> {
  const place = join(folder, `gallery-${turn}`);
  mkdirSync(place, { recursive: true });
  const copies = new Map<string, string>();
  const changed: GalleryRequest[] = [];
  for (const request of galleryRequests(count * STRIDE).filter((_, at) => at % STRIDE === 0)) {
    const copy = copies.get(request.image) ?? (await newPicture(place, turn * count + copies.size, request.image));
    copies.set(request.image, copy);
    changed.push({ ...request, image: copy });
  }
  return changed;
}
