/**
 * Memory that a set of models/registry.json takes: what `models pull` says before the first byte, and what is used then.
 * The files are random weights of the real sizes under the real names, in a cache of their own. Language models and guards
 * are in the llama architecture with the sizes and the quantisation of the real ones, projectors in LLaVA's form with the
 * sizes of the real towers, CLIP is bench/random-clip.ts. So weights, KV cells, logits and buffers are as large as they
 * will be; how many cells a picture takes, and what an architecture alone computes, is not.
 *
 *     npm run build && node --import tsx bench/set-memory.ts [laptop-8gb|laptop-16gb|workstation-24gb] [--folder DIR] [--text]
 *
 * With --text nothing is shown, which saves most of the time; the pictures' own buffers stay untouched then.
 * laptop-8gb takes 2.5 GB of disk and 3.5 GiB of memory, laptop-16gb 5.5 and 8,
 * workstation-24gb 9.5 and 14.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { preparePull } from '../src/loading/index.js';
import { type PublishedSet, partPath, publishedSets } from '../src/models/index.js';
import { randomClip } from './random-clip.js';
import { type RandomLanguage, type RandomProjector, writeLanguageModel, writeProjector } from './random-model.js';
import { usedBytes } from './used-memory.js';

const LIMIT = 0.1;
const root = fileURLToPath(new URL('..', import.meta.url));
const picture = join(root, 'models', 'miniature', 'pictures', 'drawn-08.png');
const COMMIT = '0'.repeat(40);

/** Q4_K_M: half of the layers have their values and the end of their feed-forward in six bits. */
const mixed = (name: string) =>
  /token_embd|output$/.test(name) || (/attn_v|ffn_down/.test(name) && Number(/\d+/.exec(name)?.[0]) % 2 === 0)
    ? 'q6_k'
    : 'q4_k';

/** Asks as Qwen3Guard's does, as far as its form looks. */
const TEMPLATE = "{# Safety: Controversial #}{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}";

interface SetShape {
  readonly language: RandomLanguage;
  readonly projector: RandomProjector;
  readonly guard: RandomLanguage;
  readonly guardProjector?: RandomProjector;
}

const GUARD = { typeOf: mixed, words: ['Safe', 'Unsafe', 'Controversial', 'yes', 'no'], chatTemplate: TEMPLATE };
/** Ministral 3B, with Pixtral's tower at 512 pixels. */
const MINISTRAL = {
  ...GUARD,
  width: 3072,
  layerCount: 26,
  headCount: 32,
  headSize: 128,
  kvHeadCount: 8,
  feedForward: 9216,
  vocabularySize: 131_072,
  isTied: true,
};
const PIXTRAL = {
  width: 1024,
  blockCount: 24,
  headCount: 16,
  feedForward: 4096,
  imageSize: 512,
  patchSize: 16,
  type: 'f16',
} as const;

const SHAPES: Readonly<Record<string, SetShape>> = {
  'laptop-8gb': {
    // SmolLM2 1.7B behind SigLIP so400m at 378 (27 patches a side)
    language: {
      width: 2048,
      layerCount: 24,
      headCount: 32,
      kvHeadCount: 32,
      feedForward: 8192,
      vocabularySize: 49_280,
      isTied: true,
      typeOf: mixed,
    },
    projector: {
      width: 1152,
      blockCount: 27,
      headCount: 16,
      feedForward: 4304,
      imageSize: 378,
      patchSize: 14,
      type: 'q8_0',
    },
    // Qwen3 0.6B
    guard: {
      ...GUARD,
      width: 1024,
      layerCount: 28,
      headCount: 16,
      headSize: 128,
      kvHeadCount: 8,
      feedForward: 3072,
      vocabularySize: 151_936,
      isTied: true,
    },
  },
  'laptop-16gb': {
    // Qwen3 4B; the tower is that of Qwen3-VL 4B at 768 pixels
    language: {
      width: 2560,
      layerCount: 36,
      headCount: 32,
      headSize: 128,
      kvHeadCount: 8,
      feedForward: 9728,
      vocabularySize: 151_936,
      isTied: true,
      typeOf: mixed,
    },
    projector: {
      width: 1024,
      blockCount: 24,
      headCount: 16,
      feedForward: 4096,
      imageSize: 768,
      patchSize: 16,
      type: 'q8_0',
    },
    guard: MINISTRAL,
    guardProjector: PIXTRAL,
  },
  'workstation-24gb': {
    // Qwen3 8B; the tower is that of Qwen3-VL 8B at 768 pixels
    language: {
      width: 4096,
      layerCount: 36,
      headCount: 32,
      headSize: 128,
      kvHeadCount: 8,
      feedForward: 12_288,
      vocabularySize: 151_936,
      isTied: false,
      typeOf: mixed,
    },
    projector: {
      width: 1152,
      blockCount: 27,
      headCount: 16,
      feedForward: 4304,
      imageSize: 768,
      patchSize: 16,
      type: 'q8_0',
    },
    guard: { ...MINISTRAL, typeOf: () => 'q8_0' },
    guardProjector: PIXTRAL,
  },
};

/** The files of a set, where the hub's clients look for them. */
function writeSet({ published }: PublishedSet, shape: SetShape, folder: string): void {
  for (const { repo, role, files, findsProjector } of published) {
    const base = join(folder, `models--${repo.replace('/', '--')}`);
    mkdirSync(join(base, 'refs'), { recursive: true });
    writeFileSync(join(base, 'refs', 'main'), COMMIT);
    const path = join(base, 'snapshots', COMMIT, files[0]?.path ?? '');
    mkdirSync(dirname(path), { recursive: true });
    if (existsSync(path)) continue;
    if (role === 'languageModel') writeLanguageModel(path, shape.language);
    else if (role === 'projector') writeProjector(path, shape.projector, shape.language.width);
    else if (role === 'clip') randomClip(dirname(dirname(path)), 'int8');
    else writeLanguageModel(path, shape.guard);
    if (findsProjector && shape.guardProjector)
      writeProjector(join(dirname(path), 'mmproj-F16.gguf'), shape.guardProjector, shape.guard.width);
  }
}

/** The set's own form under another name; random weights say no verdict, and are taken at their word all the same. */
function formFile(name: string, folder: string): string {
  const form = JSON.parse(readFileSync(join(root, 'models', 'decisions', `${name}.json`), 'utf8'));
  const picture = form.picture && { ...form.picture, leastMass: 0 };
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify({ ...form, name: 'random', answer: { ...form.answer, leastMass: 0 }, picture }));
  return path;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { folder: { type: 'string' }, text: { type: 'boolean', default: false } },
});
const temporary = mkdtempSync(join(tmpdir(), 'eta-vlm-set-'));
process.env['HF_HUB_OFFLINE'] = '1';
const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0).padStart(7);
let isWithin = true;
console.log(`Node ${process.version}, ${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}; MiB`);
try {
  for (const name of positionals.length === 0 ? ['laptop-8gb'] : positionals) {
    const set = (await publishedSets()).find((one) => one.name === name);
    const shape = SHAPES[name];
    if (set === undefined || shape === undefined)
      throw new Error(`expected ${Object.keys(SHAPES).join(', ')}; received ${name}`);
    const modelsFolder = join(values.folder ?? temporary, name);
    writeSet(set, shape, modelsFolder);
    const { plan, fit } = await preparePull(set, { modelsFolder, gpuLayerCount: 0 });
    if (fit === null) throw new Error(`${name}: no estimate`);
    for (const part of plan.parts) {
      const size = part.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      const own = set.published.find(({ role }) => role === part.role)?.files ?? [];
      const real = own.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
      console.log(`${part.role.padEnd(16)} file ${mib(size)}  in the registry ${real === 0 ? '      ?' : mib(real)}`);
    }
    for (const { name: part, ramBytes } of fit.estimate.parts) console.log(`${part.padEnd(16)}      ${mib(ramBytes)}`);
    const guard = plan.parts.find(({ role }) => role === 'guard');
    const eye = plan.parts.find(({ role }) => role === 'guardProjector');
    const decision = {
      form: formFile(guard?.form ?? '', temporary),
      guard: guard && partPath(guard, modelsFolder),
      guardProjector: eye && partPath(eye, modelsFolder),
    };
    const thresholds = { unsafeClipScore: -1, safeDecision: 1e6 };
    const used = usedBytes(
      { models: name, modelsFolder, decision, gpuLayerCount: 0 },
      { ...(values.text ? {} : { image: picture }), thresholds },
    );
    const ratio = fit.estimate.ramBytes / used;
    if (Math.abs(ratio - 1) > LIMIT) isWithin = false;
    console.log(`${name}: estimate ${mib(fit.estimate.ramBytes)}  used ${mib(used)}  ratio ${ratio.toFixed(3)}`);
    if (values.folder === undefined) rmSync(modelsFolder, { recursive: true });
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
process.exitCode = isWithin ? 0 : 1;
