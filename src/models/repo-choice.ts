/** Which files of a repository somebody means who names it alone, or with a quantisation: told by their names. */

import { ModelError } from '../errors.js';
import { type HubAddress, type HubFile, hubAddressText, type Listing } from '../hub/index.js';
import { describePath } from '../options.js';
import { textGraphOf } from './clip-place.js';
import type { Role } from './published.js';

export interface ChosenPart {
  readonly role: Role;
  /** The one that is opened stands first. */
  readonly files: readonly HubFile[];
}

/** What is taken where nobody says, the first that is there. */
const USUAL = ['Q4_K_M', 'Q4_K_S', 'Q4_0', 'Q5_K_M', 'Q8_0', 'F16', 'BF16'];
/** Projectors are small, and what they lose the model cannot make good. */
const USUAL_PROJECTORS = ['Q8_0', 'F16', 'BF16', 'F32'];
const PROJECTOR = /mmproj/i;
const OTHER = /imatrix|(?:^|\/)mtp-/i;
const SPLIT = /-(\d{5})-of-(\d{5})\.gguf$/i;
const QUANTISATION = /(?:^|[-._/])((?:UD-)?(?:I?Q\d[A-Z0-9_]*|TQ\d_\d|MXFP4[A-Z0-9_]*|BF16|F16|F32))(?=[-./]|$)/i;
const VISION = /^(.*\/)?vision_model(?:_(\w+))?\.onnx$/;

/** @throws ModelError ERR_MODEL_NOT_FOUND with what there is instead */
export function chooseParts(listing: Listing, address: HubAddress): ChosenPart[] {
  const ggufs = listing.files.filter(({ path }) => /\.gguf$/i.test(path) && !OTHER.test(path));
  if (address.file !== null) return namedParts(listing, ggufs, address);
  const models = ggufs.filter(({ path }) => !PROJECTOR.test(path) && isFirst(path));
  if (models.length === 0) return [clipOf(listing, address)];
  return withProjector(modelOf(models, address), ggufs);
}

function namedParts(listing: Listing, ggufs: readonly HubFile[], address: HubAddress): ChosenPart[] {
  const file = listing.files.find(({ path }) => path === address.file);
  if (file === undefined) throw nothing(address, `the file ${describePath(address.file ?? '')}`, listing.files);
  if (VISION.test(file.path)) return [clipWith(listing, file)];
  if (!/\.gguf$/i.test(file.path)) throw nothing(address, 'a GGUF, or the vision graph of a CLIP', ggufs);
  if (PROJECTOR.test(file.path)) return [{ role: 'projector', files: [file] }];
  return withProjector(file, ggufs);
}

function modelOf(models: readonly HubFile[], address: HubAddress): HubFile {
  const { quantisation } = address;
  const of = (wanted: string) =>
    models.filter(({ path }) => quantisationOf(path)?.toUpperCase() === wanted.toUpperCase());
  const wanted = quantisation === null ? USUAL : [quantisation];
  const found = wanted.map(of).find(({ length }) => length > 0) ?? (quantisation === null ? models : []);
  if (found.length === 1 && found[0] !== undefined) return found[0];
  if (found.length === 0) {
    const known = [...new Set(models.map(({ path }) => quantisationOf(path)).filter((name) => name !== null))];
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected a GGUF of the quantisation ${quantisation} in ${address.repo}, found ${known.length === 0 ? 'none that says its own' : known.join(', ')}. Name one of these, or the file itself: ${example(address, models)}.`,
    );
  }
  throw new ModelError(
    'ERR_MODEL_NOT_FOUND',
    `Expected one model in ${address.repo} that ${hubAddressText(address)} can mean, found ${found.length}: ${names(found)}. Name the file: ${example(address, found)}.`,
  );
}

/** The other files of a model that is split, and the projector beside it. */
function withProjector(model: HubFile, ggufs: readonly HubFile[]): ChosenPart[] {
  const [, , count = ''] = SPLIT.exec(model.path) ?? [];
  const stem = model.path.replace(SPLIT, '');
  const split = ggufs
    .filter(({ path }) => SPLIT.exec(path)?.[2] === count && path.replace(SPLIT, '') === stem)
    .sort((one, other) => (one.path < other.path ? -1 : 1));
  if (split.length > 0) checkShards(stem, split, Number(count));
  const projector = projectorFor(model, ggufs);
  const parts: ChosenPart[] = [{ role: 'languageModel', files: split.length > 0 ? split : [model] }];
  return projector === undefined ? parts : [...parts, { role: 'projector', files: [projector] }];
}

/** @throws ModelError ERR_MODEL_NOT_FOUND where a file of a model that is split is not there */
function checkShards(stem: string, split: readonly HubFile[], count: number): void {
  const wanted = Array.from({ length: Math.min(count, split.length + 1) }, (_, at) => at + 1);
  const missing = wanted.find((number) => !split.some(({ path }) => Number(SPLIT.exec(path)?.[1]) === number));
  if (missing === undefined) return;
  const name = `${stem}-${String(missing).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.gguf`;
  throw new ModelError(
    'ERR_MODEL_NOT_FOUND',
    `Expected all ${count} files of a model that is split, found ${split.length}: ${describePath(name)} is not there. Take a model that is whole, or another quantisation.`,
  );
}

/** The projector of a model: in its folder, else anywhere. */
export function projectorFor(model: HubFile, files: readonly HubFile[]): HubFile | undefined {
  const all = files.filter(({ path }) => PROJECTOR.test(path) && /\.gguf$/i.test(path));
  const beside = all.filter(({ path }) => folderOf(path) === folderOf(model.path));
  const projectors = beside.length > 0 ? beside : all;
  return (
    USUAL_PROJECTORS.map((wanted) =>
      projectors.find(({ path }) => quantisationOf(path)?.toUpperCase() === wanted),
    ).find((file) => file !== undefined) ?? projectors[0]
  );
}

/** A CLIP as transformers.js publishes them; what stands behind the colon names its variant, such as "quantized". */
function clipOf(listing: Listing, address: HubAddress): ChosenPart {
  const visions = listing.files.filter(({ path }) => VISION.test(path));
  const of = (variant: string) => visions.find(({ path }) => (VISION.exec(path)?.[2] ?? '') === variant);
  const vision =
    address.quantisation === null ? (of('') ?? of('quantized') ?? visions[0]) : of(address.quantisation.toLowerCase());
  if (vision !== undefined) return clipWith(listing, vision);
  throw nothing(address, 'a GGUF, or a CLIP with onnx/vision_model.onnx', listing.files);
}

function clipWith(listing: Listing, vision: HubFile): ChosenPart {
  const folder = folderOf(vision.path);
  const text = textGraphOf(vision.path);
  const root = folder.replace(/[^/]+\/$/, '');
  const wanted = [text, ...CLIP_FILES.map((name) => `${root}${name}`)];
  const beside = listing.files.filter(({ path }) => [`${vision.path}_data`, `${text}_data`].includes(path));
  const files = wanted.map((path) => {
    const found = listing.files.find((file) => file.path === path);
    if (found !== undefined) return found;
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected ${describePath(path)} beside ${describePath(vision.path)} in ${listing.repo}, found none. Take a CLIP that has text and vision as two graphs.`,
    );
  });
  return { role: 'clip', files: [vision, ...files, ...beside] };
}

/** What a published CLIP has beside its graphs. */
const CLIP_FILES = ['config.json', 'preprocessor_config.json', 'tokenizer.json'];

export function quantisationOf(path: string): string | null {
  const name = path.replace(SPLIT, '').replace(/\.gguf$/i, '');
  const base = name.slice(name.lastIndexOf('/') + 1);
  return QUANTISATION.exec(base)?.[1] ?? QUANTISATION.exec(folderOf(path))?.[1] ?? null;
}

function isFirst(path: string): boolean {
  const [, number = '00001'] = SPLIT.exec(path) ?? [];
  return number === '00001';
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

function example({ repo, revision }: HubAddress, files: readonly HubFile[]): string {
  return hubAddressText({ repo, revision, quantisation: null, file: files[0]?.path ?? 'FILE.gguf' });
}

function nothing(address: HubAddress, expected: string, files: readonly HubFile[]): ModelError {
  return new ModelError(
    'ERR_MODEL_NOT_FOUND',
    `Expected ${expected} in ${address.repo}, found ${files.length === 0 ? 'none' : names(files)}. Name another repository, or one of its files.`,
  );
}

function names(files: readonly HubFile[]): string {
  const shown = files.slice(0, 8).map(({ path }) => path);
  return `${shown.join(', ')}${files.length > shown.length ? ` and ${files.length - shown.length} more` : ''}`;
}
