/** What the scenarios take on their command line, and the files that it names. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { resolveModels } from '../../src/models/index.js';
import { type HollowWeights, SHAPES } from '../../test/engine/hollow-model.js';
import { type ClipWeights, randomClip } from '../random-clip.js';
import { randomModel } from '../random-model.js';

interface Defaults {
  /** `miniature`, or a size of random models. */
  readonly model: string;
  readonly weights?: HollowWeights;
  readonly tokens?: number;
  readonly repeat?: number;
  readonly requests?: number;
}

export interface Settings {
  readonly model: string;
  readonly weights: HollowWeights;
  /** Of an answer. */
  readonly tokens: number;
  /** Turns that count. */
  readonly repeat: number;
  /** Of a turn, where a scenario asks many. */
  readonly requests: number;
  /** Of both sides; undefined: what each takes by itself. */
  readonly threadCount: number | undefined;
  /** Where random models lie. */
  readonly folder: string;
}

export interface Files {
  readonly languageModel: string;
  readonly projector: string;
  readonly clip: string;
  readonly rewardModel: string;
}

/** Without --folder, models are made in a temporary one that goes with the process. */
export function settings(defaults: Defaults): Settings {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: defaults.model },
      weights: { type: 'string', default: defaults.weights ?? 'q8_0' },
      tokens: { type: 'string', default: String(defaults.tokens ?? 32) },
      repeat: { type: 'string', default: String(defaults.repeat ?? 7) },
      requests: { type: 'string', default: String(defaults.requests ?? 0) },
      threads: { type: 'string' },
      folder: { type: 'string' },
    },
  });
  const { model, weights, tokens, repeat, threads, folder } = values;
  if (model !== 'miniature' && !(model in SHAPES))
    throw new Error(`--model: expected miniature, ${Object.keys(SHAPES).join(', ')}, received ${model}`);
  return {
    model,
    weights: weights as HollowWeights,
    tokens: Number(tokens),
    repeat: Number(repeat),
    requests: Number(values.requests),
    threadCount: threads === undefined ? undefined : Number(threads),
    folder: folder ?? temporaryFolder(),
  };
}

/** Gone when the process ends. */
export function temporaryFolder(): string {
  const made = mkdtempSync(join(tmpdir(), 'eta-vlm-peers-'));
  process.on('exit', () => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** @param clip the miniature's, or a random one of real size */
export async function filesOf(
  { model, weights, folder }: Settings,
  clip: 'miniature' | ClipWeights = 'miniature',
): Promise<Files> {
  const shipped = await resolveModels('miniature');
  const { projector, clip: ownClip, rewardModel } = shipped;
  if (projector === null || ownClip === null || rewardModel === null) throw new Error('the miniature is not whole');
  const judges = {
    clip: clip === 'miniature' ? ownClip : randomClip(join(folder, 'clip'), clip),
    rewardModel,
  };
  if (model === 'miniature') return { languageModel: shipped.languageModel, projector, ...judges };
  const place = join(folder, `${model}-${weights}`);
  const there = { languageModel: join(place, 'language-model.gguf'), projector: join(place, 'projector.gguf') };
  if (!existsSync(there.projector)) randomModel(place, SHAPES[model as keyof typeof SHAPES], weights);
  return { ...there, ...judges };
}

export const modelName = ({ model, weights }: Settings): string =>
  model === 'miniature' ? model : `${model} in ${weights}`;

export const described = (settings: Settings): string =>
  `${modelName(settings)}, median of ${settings.repeat}` +
  (settings.threadCount === undefined ? '' : `, ${settings.threadCount} threads`);
