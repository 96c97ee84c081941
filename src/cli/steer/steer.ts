/** `eta-vlm steer`: a safety vector from what a model refuses and what it answers. */
import { UsageError } from '../../errors.js';
import { CONTEXT_SIZE } from '../../loading/defaults.js';
import { gpuLayersThatFit } from '../../loading/index.js';
import { type ResolvedModels, resolveModels } from '../../models/index.js';
import { describePath } from '../../options.js';
import { checkApart, earlierAt } from '../../outputs/index.js';
import {
  type Difference,
  differenceOf,
  isVectorFile,
  LayerReader,
  MeanState,
  type VectorHome,
  vectorHome,
  writeVector,
} from '../../steering/index.js';
import { EXIT } from '../../terminal/failure.js';
import { tell } from '../../terminal/output.js';
import { print } from '../../terminal/print.js';
import { Progress } from '../../terminal/progress.js';
import { Requests } from '../batch/requests.js';
import { modelInputs } from '../inputs.js';
import { checkWritable } from '../json-file.js';
import { loadOptions } from '../load-options.js';
import type { ModelFlags } from '../model-options.js';
import { readStates, type Unread } from './states.js';

export interface SteerFlags
  extends Pick<
    ModelFlags,
    'models' | 'languageModel' | 'projector' | 'contextSize' | 'threads' | 'device' | 'gpuLayers' | 'maxPixels'
  > {
  readonly refused?: string;
  readonly answered?: string;
  readonly layer?: number;
  readonly out: string;
  readonly json?: boolean;
}

/** The requests of both kinds. */
interface Sources {
  readonly refused: Requests;
  readonly answered: Requests;
}

/**
 * Makes a vector and writes it. What can be refused is refused before the model loads.
 *
 * @returns the exit code: 3 when some requests could not be read
 * @throws EtaError; AbortError
 */
export async function steer(flags: SteerFlags, signal: AbortSignal): Promise<number> {
  const sources = sourcesOf(flags);
  for (const requests of Object.values(sources)) await requests.check();
  const { models: choice = 'miniature' } = loadOptions(flags);
  const models = await resolveModels(choice);
  const home = await vectorHome(models.languageModel);
  const layer = layerOf(flags, home);
  await checkOut(flags, sources);
  const { difference, unread } = await measured(sources, { flags, models, layer, signal });
  await writeVector(flags.out, difference.vector, home);
  for (const { name, reason } of unread) tell(`not read: ${name}: ${reason}`);
  if (flags.json === true) print(`${JSON.stringify(told(difference, flags.out, unread))}\n`);
  else {
    print(`${lines(difference).join('\n')}\n`);
    tell(`\nwrote       ${flags.out}\n            try it: ${nextCommand(flags)}`);
  }
  return unread.length > 0 ? EXIT.someFailed : EXIT.ok;
}

/** Loads the model alone, and reads both files. */
async function measured(
  sources: Sources,
  {
    flags,
    models,
    layer,
    signal,
  }: {
    readonly flags: SteerFlags;
    readonly models: ResolvedModels;
    readonly layer: number;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly difference: Difference; readonly unread: readonly Unread[] }> {
  const { contextSize = CONTEXT_SIZE, threads: threadCount, device, gpuLayers, maxPixels } = flags;
  const progress = new Progress();
  try {
    progress.show('loading the model ...');
    const alone = { ...models, clip: null, rewardModel: null };
    const gpuLayerCount = await gpuLayersThatFit(alone, { contextSize, device, gpuLayerCount: gpuLayers });
    await using reader = await LayerReader.load({
      modelPath: models.languageModel,
      projectorPath: models.projector ?? undefined,
      device,
      gpuLayerCount,
      threadCount,
      layer,
      contextSize,
      maxPixels,
      signal,
    });
    const unread: Unread[] = [];
    const mean = async (kind: keyof Sources): Promise<MeanState> => {
      const states = new MeanState(reader.length);
      for await (const state of readStates(sources[kind], reader, { unread, signal })) {
        states.add(state);
        progress.show(`reading what is ${kind} ... ${states.count}`);
      }
      return states;
    };
    const refused = await mean('refused');
    const answered = await mean('answered');
    return { difference: differenceOf(refused, answered, layer), unread };
  } finally {
    progress.clear();
  }
}

function sourcesOf({ refused, answered }: SteerFlags): Sources {
  if (refused === undefined || answered === undefined)
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `Expected --refused and --answered with requests, received ${refused === answered ? 'neither' : `--${refused === undefined ? 'answered' : 'refused'} alone`}. The vector is the difference of what the model refuses and what it answers: name both.`,
    );
  return { refused: new Requests(refused, {}), answered: new Requests(answered, {}) };
}

function layerOf({ layer }: SteerFlags, { layerCount, architecture }: VectorHome): number {
  const [least, most] = [1, layerCount - 1];
  if (layer !== undefined && layer <= most) return layer;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    most < least
      ? `Expected a model of two layers or more, received one of ${layerCount} (${architecture}). It cannot be steered.`
      : `Expected --layer from ${least} to ${most}, of the ${layerCount} layers of this model, received ${layer ?? 'none'}. Begin in the middle, with --layer ${Math.ceil(layerCount / 2)}, and try others.`,
  );
}

async function checkOut(flags: SteerFlags, { refused, answered }: Sources): Promise<void> {
  const { out } = flags;
  await checkApart(
    [{ path: out, name: 'The vector (--out)' }],
    [...refused.inputs, ...answered.inputs, ...(await modelInputs(flags))],
  );
  await checkWritable(out, '--out');
  if ((await earlierAt(out, isVectorFile)) !== 'other') return;
  throw new UsageError(
    'ERR_RESULTS_EXIST',
    `Expected nothing at ${describePath(out)}, or an earlier safety vector; found something else, which stays. Name another file, or take it away.`,
  );
}

function told({ vector, ...figures }: Difference, out: string, unread: readonly Unread[]) {
  return { layer: vector.layer, ...figures, out, unread };
}

function lines({ vector, refusedCount, answeredCount, norm, refusedNorm, answeredNorm, halvesCosine }: Difference) {
  const number = (value: number) => value.toPrecision(3);
  const halves =
    halvesCosine === null
      ? '-  one request of a kind: nobody can tell a direction from noise'
      : `${halvesCosine.toFixed(3)}  ${halvesCosine < 0.5 ? 'mostly noise: name more requests' : 'one direction'}`;
  return [
    `refused     ${refusedCount} requests, their mean of length ${number(refusedNorm)}`,
    `answered    ${answeredCount} requests, their mean of length ${number(answeredNorm)}`,
    `layer       ${vector.layer}`,
    `vector      of length ${number(norm)}`,
    `halves      ${halves}`,
  ];
}

function nextCommand({ out, models, languageModel, projector }: SteerFlags): string {
  const named = [
    ...(models === undefined ? [] : ['--models', models]),
    ...(languageModel === undefined ? [] : ['--language-model', languageModel]),
    ...(projector === undefined ? [] : ['--projector', projector]),
  ];
  return ['eta-vlm ask', ...named, '--safety-vector', out, '--method steered --image x.jpg "..."'].join(' ');
}
