/**
 * Memory that ETA takes, estimated before loading and then used: the miniature, and random models of LLaVA-1.5's shape with
 * the miniature's evaluators. Each size runs in a process of its own, loads, aligns one request with a picture (so that
 * every buffer is touched), and tells its largest resident size. Limit: 10 %.
 *
 *     npm run build && node --import tsx bench/memory.ts [miniature|160m|1.1b|7b ...] [--weights q8_0] [--folder DIR]
 *         [--context-size N] [--text] [--clip DIR] [--reward-model DIR]
 *
 * A 7B of q4_0 takes 4.5 GB of disk (in --folder, or a temporary one that is removed) and as much memory. With --text
 * nothing is shown, which saves most of the time; the picture's own buffers, 0.5 % of a 7B, then stay untouched.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type FitOptions, fitMemory, thisMachine } from '../src/loading/memory-fit.js';
import { modelShapes, type ResolvedModels, resolveModels } from '../src/models/index.js';
import { type HollowWeights, SHAPES } from '../test/engine/hollow-model.js';
import { randomModel } from './random-model.js';
import { usedBytes } from './used-memory.js';

const LIMIT = 0.1;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    weights: { type: 'string', default: 'q8_0' },
    folder: { type: 'string' },
    'context-size': { type: 'string' },
    clip: { type: 'string' },
    'reward-model': { type: 'string' },
    text: { type: 'boolean', default: false },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
const picture = join(root, 'models', 'miniature', 'pictures', 'drawn-08.png');

function use(models: ResolvedModels, options: FitOptions): number {
  const { languageModel, projector, clip, rewardModel } = models;
  const load = { models: { languageModel, projector, clip, rewardModel }, ...options, gpuLayerCount: 0 };
  const thresholds = { unsafeClipScore: -1, safeReward: 1e6 };
  return usedBytes(load, { ...(values.text ? {} : { image: picture }), thresholds });
}

const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0).padStart(7);
const temporary = mkdtempSync(join(tmpdir(), 'eta-vlm-memory-'));
const shipped = await resolveModels('miniature');
const miniature = {
  ...shipped,
  clip: values.clip === undefined ? shipped.clip : resolve(values.clip),
  rewardModel: values['reward-model'] === undefined ? shipped.rewardModel : resolve(values['reward-model']),
};
let isWithin = true;
console.log(`Node ${process.version}, ${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}; MiB`);
console.log('size       context  cache  estimate    used  ratio');
try {
  for (const name of positionals.length === 0 ? ['miniature', '160m', '1.1b'] : positionals) {
    const models = modelsOf(name);
    const size = values['context-size'];
    const contexts: FitOptions[] =
      size !== undefined
        ? [{ contextSize: Number(size) }]
        : name === 'miniature'
          ? [{}, { contextSize: 65_536 }, { contextSize: 65_536, cacheType: 'q8_0' }, { flashAttention: 'off' }]
          : [{}, { contextSize: 16_384, cacheType: 'q8_0' }];
    for (const options of contexts) {
      const { estimate, plan } = fitMemory(await modelShapes(models), { ...options, gpuLayerCount: 0 }, thisMachine());
      const maxRssBytes = use(models, options);
      const ratio = estimate.ramBytes / maxRssBytes;
      if (Math.abs(ratio - 1) > LIMIT) isWithin = false;
      console.log(
        `${name.padEnd(10)} ${String(plan.contextSize).padStart(7)}  ${plan.cacheType.padEnd(5)}  ${mib(estimate.ramBytes)} ${mib(maxRssBytes)}  ${ratio.toFixed(3)}` +
          (options.flashAttention === 'off' ? '  without flash attention' : ''),
      );
    }
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
process.exitCode = isWithin ? 0 : 1;

function modelsOf(name: string): ResolvedModels {
  if (name === 'miniature') return miniature;
  const shape = Object.entries(SHAPES).find(([known]) => known === name)?.[1];
  if (shape === undefined) throw new Error(`expected miniature, ${Object.keys(SHAPES).join(', ')}; received ${name}`);
  const folder = join(values.folder ?? temporary, `${name}-${values.weights}`);
  const made = existsSync(join(folder, 'projector.gguf'))
    ? { languageModel: join(folder, 'language-model.gguf'), projector: join(folder, 'projector.gguf') }
    : randomModel(folder, shape, values.weights as HollowWeights);
  return { ...miniature, name, ...made };
}
