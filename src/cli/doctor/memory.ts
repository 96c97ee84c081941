/** `eta-vlm doctor --model`: how much memory models will take, and whether this machine has it. Nothing is loaded. */

import { extname } from 'node:path';
import { devices, type NativeBackendDevice } from '../../engine/index.js';
import { SEQUENCE_COUNT } from '../../loading/defaults.js';
import { fitMemory, type MemoryFit, resolveDecision, thisMachine } from '../../loading/index.js';
import { addedRam, GPU_RESERVE_BYTES, modelShapes, resolveModels } from '../../models/index.js';
import { labelled, type Paint } from '../../terminal/paint.js';
import { size } from '../../terminal/size.js';
import { choiceOf } from '../chosen-models.js';
import { decisionChoice, given } from '../model-options.js';

export interface MemoryFlags {
  /** A name of the registry, a folder, or a GGUF file. */
  readonly model: string;
  readonly projector?: string;
  readonly clip?: string;
  readonly rewardModel?: string;
  readonly decision?: string;
  readonly guard?: string;
  readonly guardProjector?: string;
  readonly contextSize?: number;
  /** Candidates of each round. */
  readonly n?: number;
  readonly cacheType?: 'f32' | 'f16' | 'q8_0';
  readonly device?: string;
  readonly gpuLayers?: number;
}

export interface MemoryReport extends MemoryFit {
  readonly model: string;
  readonly devices: readonly NativeBackendDevice[];
}

/** @throws ModelError for files that are missing or of another form; EngineError ERR_ADDON_NOT_FOUND */
export async function examineMemory(flags: MemoryFlags): Promise<MemoryReport> {
  const { model, projector, clip, rewardModel } = flags;
  const base = await resolveModels(extname(model) === '.gguf' ? { languageModel: model } : choiceOf(model));
  // What is named goes before what the folder or the registry has.
  const parts = given({ projector, clip, rewardModel });
  const named = await resolveModels({ languageModel: base.languageModel, ...parts });
  const ofSet = rewardModel === undefined ? base.published?.guard : undefined;
  const decision = await resolveDecision(decisionChoice(flags), { ofSet });
  const models = {
    ...named,
    projector: named.projector ?? base.projector,
    clip: named.clip ?? base.clip,
    rewardModel: decision === null ? (named.rewardModel ?? base.rewardModel) : null,
  };
  const found = devices();
  const fit = fitMemory(
    await modelShapes(models, decision?.files),
    {
      contextSize: flags.contextSize,
      sequenceCount: Math.max(SEQUENCE_COUNT, (flags.n ?? 0) + 1),
      cacheType: flags.cacheType,
      gpuLayerCount: flags.gpuLayers ?? 'auto',
      guardMaxTokens: decision?.form.maxTokens,
    },
    thisMachine(found, flags.device),
  );
  return { model: base.name, devices: found, ...fit };
}

const LABEL_WIDTH = 14;

/** A table of the parts, then whether they fit, and what to change where they do not. */
export function memoryLines(report: MemoryReport, { paint, columns }: { paint: Paint; columns: number }): string[] {
  const { shapes, plan, estimate, machine, fits } = report;
  const { language, projector, evaluators } = shapes;
  const say = (label: string, text: string) => labelled(label, text, { labelWidth: LABEL_WIDTH, columns });
  const hasGpu = machine.gpuFreeBytes > 0;
  const column = (bytes: number) => (bytes === 0 ? '-' : size(bytes)).padStart(11);
  const row = (name: string, ram: number, gpu: number) =>
    `${name.padEnd(LABEL_WIDTH)}${column(ram)}${hasGpu ? column(gpu) : ''}`;
  const missing = [
    projector === null && 'projector',
    evaluators.clipBytes === null && 'CLIP',
    evaluators.rewardBytes === null && !shapes.guard && 'reward model',
  ];
  const absent = missing.filter((name) => name !== false);
  return [
    ...say(
      'model',
      `${report.model}: ${language.architecture}, ${language.layerCount} layers, width ${language.width}`,
    ),
    ...say('cache', `${plan.contextSize} cells of ${plan.cacheType}, ${plan.sequenceCount} sequences`),
    ...(absent.length === 0 ? [] : say('', `without ${absent.join(', ')}`)),
    ...(hasGpu ? say('GPU', gpuText(report)) : []),
    '',
    paint('dim', `${''.padEnd(LABEL_WIDTH)}${'main memory'.padStart(11)}${hasGpu ? 'GPU'.padStart(11) : ''}`),
    ...estimate.parts.map(({ name, ramBytes, gpuBytes }) => row(name, ramBytes, gpuBytes)),
    paint('bold', row('together', estimate.ramBytes, estimate.gpuBytes)),
    ...(hasGpu
      ? [paint('dim', row('free', machine.ramFreeBytes, machine.gpuFreeBytes))]
      : [paint('dim', row('free', machine.ramFreeBytes, 0))]),
    ...(estimate.reclaimableBytes > 0 ? say('', reclaimText(report)) : []),
    '',
    ...(fits
      ? [paint('green', `It fits: ${size(addedRam(estimate))} must be free for it.`)]
      : say('too large', remedy(report)).map((line, i) =>
          i === 0 ? line.replace('too large', paint('red', '$&')) : line,
        )),
  ];
}

function reclaimText({ estimate }: MemoryReport): string {
  return `${size(estimate.reclaimableBytes)} of these are weights in the order of the file, which the system takes back when it needs room`;
}

function gpuText({ plan, shapes, machine }: MemoryReport): string {
  const all = shapes.language.layerCount + 1;
  const count = plan.gpuLayerCount < 0 ? all : Math.min(plan.gpuLayerCount, all);
  const what = count === all ? 'all layers' : `${count} of ${all} layers, the output counted as one,`;
  return `${what} of the language model; ${size(machine.gpuFreeBytes)} free, ${size(GPU_RESERVE_BYTES)} stay so`;
}

function remedy({ estimate, machine, largestContextSize, plan }: MemoryReport): string {
  const ram = addedRam(estimate) + (machine.isShared ? estimate.gpuBytes : 0);
  if (ram <= machine.ramFreeBytes)
    return 'The GPU has no room for so many layers. Leave out --gpu-layers, and as many as fit are taken.';
  const lacking = `${size(ram - machine.ramFreeBytes)} of main memory are lacking.`;
  const options = [
    largestContextSize >= 256 && largestContextSize < plan.contextSize && `--context-size ${largestContextSize}`,
    plan.cacheType !== 'q8_0' && '--cache-type q8_0',
    'a smaller quantisation of the model',
  ].filter((option) => option !== false);
  return `${lacking} Take ${options.join(', or ')}, or close other programs.`;
}
