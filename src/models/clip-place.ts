/** A CLIP's place: the folder with its manifest, or of one as others publish it the vision graph that is meant. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const VISION = /^vision_model(?:_(\w+))?\.onnx$/;

/**
 * Of a published CLIP with several variants: float32, else the quantised one, else the first by name.
 *
 * @returns what was given, where it is no folder of a published CLIP
 */
export async function clipPlace(place: string): Promise<string> {
  if (place.endsWith('.onnx') || (await stat(join(place, 'manifest.json')).catch(() => null)) !== null) return place;
  const folder = join(place, 'onnx');
  const names = (await readdir(folder).catch(() => [])).filter((name) => VISION.test(name)).sort();
  const of = (variant: string | undefined) => names.find((name) => VISION.exec(name)?.[1] === variant);
  const vision = of(undefined) ?? of('quantized') ?? names[0];
  return vision === undefined ? place : join(folder, vision);
}

/** The text graph beside a vision graph. */
export function textGraphOf(vision: string): string {
  return vision.replace(/vision_model([^/\\]*)$/, 'text_model$1');
}
