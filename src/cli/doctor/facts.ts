/**
 * Looks at every part that an answer needs. Alone among the surfaces it looks into each room by itself, because it must
 * tell which one is broken; nothing here throws for a part that is.
 */
import { arch, cpus, freemem, platform, release, totalmem } from 'node:os';
import { physicalCoreCount } from '../../cores.js';
import { throwIfAborted } from '../../errors.js';
import { manifestOf } from '../installed.js';
import { type EvaluatorDeviceFacts, examineEvaluatorDevices } from './evaluator-devices.js';
import { gpuAdvice, unloadedAddon } from './gpu.js';
import { examineModels, type ModelsFacts, type ModelsRun, tryModels } from './models.js';

interface Problem {
  readonly what: string;
  /** What the user can do. */
  readonly remedy: string;
}

interface DeviceFacts {
  readonly name: string;
  readonly description: string;
  readonly type: string;
  readonly memoryFreeBytes: number;
  readonly memoryTotalBytes: number;
}

export interface DoctorReport {
  readonly version: string;
  readonly machine: {
    readonly platform: string;
    readonly architecture: string;
    readonly release: string;
    readonly cpu: string;
    readonly physicalCoreCount: number;
    readonly logicalCoreCount: number;
    readonly memoryTotalBytes: number;
    readonly memoryFreeBytes: number;
  };
  readonly node: { readonly version: string; readonly required: string };
  readonly addon: {
    readonly llamaTag: string;
    readonly route: string;
    readonly backends: readonly string[];
    readonly systemInfo: string;
    readonly devices: readonly DeviceFacts[];
    /** Which file it is, and why not another: a sentence. */
    readonly place: string;
    /** Folder of the backends for the processor; null where they are compiled in. */
    readonly processorBackends: string | null;
    /** Packages for a GPU that are installed; `problem` tells why one is not loaded. */
    readonly gpuBackends: readonly { readonly package: string; readonly problem: string | null }[];
  } | null;
  /** The addon's file, also where it cannot be used; null where there is none. */
  readonly addonFile: string | null;
  /** What would bring a GPU of this machine into use. */
  readonly gpuAdvice: readonly string[];
  /** `telemetry`: "maybe-on" where something had loaded onnxruntime into this process before. */
  readonly onnxruntime: {
    readonly version: string;
    readonly telemetry: 'off' | 'maybe-on';
    readonly evaluatorDevices: readonly EvaluatorDeviceFacts[];
  } | null;
  readonly pictures: { readonly sharp: string; readonly formats: readonly string[] } | null;
  readonly models: readonly ModelsFacts[];
  /** The default models, loaded as an answer loads them; null when they cannot be. */
  readonly run: ModelsRun | null;
  readonly problems: readonly Problem[];
}

interface ExamineOptions {
  readonly verifiesHashes: boolean;
  readonly signal: AbortSignal;
  readonly onStep?: (step: string) => void;
}

/** @throws AbortError */
export async function examine({ verifiesHashes, signal, onStep }: ExamineOptions): Promise<DoctorReport> {
  const problems: Problem[] = [];
  const attempt = async <Fact>(
    step: string,
    remedy: string,
    look: () => Promise<Fact> | Fact,
  ): Promise<Fact | null> => {
    throwIfAborted(signal);
    onStep?.(step);
    try {
      return await look();
    } catch (error) {
      throwIfAborted(signal);
      problems.push({ what: `${step}: ${firstLine(error)}`, remedy });
      return null;
    }
  };

  const own = manifestOf();
  const required = own.engines?.node ?? '';
  if (!satisfies(process.versions.node, required)) {
    problems.push({ what: `Node ${process.version}: expected ${required}`, remedy: 'Install a newer Node.' });
  }
  const addonFile = await locateAddon();
  const addon = await attempt(
    'native addon',
    `${addonFile === null ? 'Install its package (docs/install.md)' : 'Do what it says, or install its package again'}, or compile it: npx eta-vlm build; in the repository npm run build.`,
    readAddon,
  );
  const seen = addon ?? (addonFile === null ? null : unloadedAddon(addonFile));
  const onnxruntime = await attempt(
    'onnxruntime',
    'Run the line that it names, or npm install --ignore-scripts again.',
    () => readOnnxruntime(signal),
  );
  const pictures = await attempt('sharp', 'Run npm install again, without --omit=optional.', readSharp);
  const models =
    (await attempt('models', 'Install eta-vlm again.', () => examineModels({ verifiesHashes, signal }))) ?? [];
  for (const { name, files, problem } of models) {
    if (problem !== null) problems.push({ what: `models ${name}: ${problem}`, remedy: 'Fetch the models again.' });
    for (const { path, hash } of files) {
      if (hash === 'differs') problems.push({ what: `${path}: not the file it was`, remedy: 'Fetch it again.' });
    }
  }
  const run =
    addon === null || onnxruntime === null || models.some(({ problem }) => problem !== null)
      ? null
      : await attempt('loading the models', 'See the other lines.', () => tryModels(signal));
  return {
    version: own.version,
    machine: readMachine(),
    node: { version: process.version, required },
    addon,
    addonFile,
    gpuAdvice: seen === null ? [] : gpuAdvice(seen),
    onnxruntime,
    pictures,
    models,
    run,
    problems,
  };
}

function readMachine(): DoctorReport['machine'] {
  const processors = cpus();
  return {
    platform: platform(),
    architecture: arch(),
    release: release(),
    cpu: processors[0]?.model.trim() ?? 'unknown',
    physicalCoreCount: physicalCoreCount(),
    logicalCoreCount: processors.length,
    memoryTotalBytes: totalmem(),
    memoryFreeBytes: freemem(),
  };
}

async function locateAddon(): Promise<string | null> {
  const { findAddon } = await import('../../native/addon-place.js');
  try {
    return findAddon().path;
  } catch {
    return null; // loading it says why
  }
}

async function readAddon(): Promise<DoctorReport['addon']> {
  const { loadAddon } = await import('../../native/binding.js');
  const { binding, place, processorBackends, gpuBackends } = loadAddon();
  const { llamaTag, route, backends, systemInfo } = binding.build;
  const facts = { llamaTag, route, backends, systemInfo, devices: binding.devices(), processorBackends, gpuBackends };
  return { ...facts, place: place.sentence };
}

/** Starts the evaluators' thread, which loads the library; the version alone could be that of a file without a binary. */
async function readOnnxruntime(signal: AbortSignal): Promise<DoctorReport['onnxruntime']> {
  const { EvaluatorWorker, telemetryState } = await import('../../onnx/index.js');
  const worker = await EvaluatorWorker.start();
  await worker.dispose();
  const evaluatorDevices = await examineEvaluatorDevices(signal);
  const { version } = manifestOf('onnxruntime-node');
  return { version, telemetry: telemetryState(), evaluatorDevices };
}

async function readSharp(): Promise<DoctorReport['pictures']> {
  const { imageLibrary } = await import('../../image/index.js');
  const { version, formats } = await imageLibrary();
  return { sharp: version, formats: [...formats, 'bmp'] }; // which image/ reads without sharp
}

/** Messages that list solutions do so below their first line; the report has its own. */
function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split(/ Possible solutions:|(?<! ) *\n/)[0] ?? '';
}

/** Whether a version is at least that of a range of the form ">=20.17". */
function satisfies(version: string, range: string): boolean {
  const numbers = (text: string) => (text.match(/\d+/g) ?? []).map(Number);
  const [wanted, found] = [numbers(range), numbers(version)];
  for (const [i, least] of wanted.entries()) {
    const value = found[i] ?? 0;
    if (value !== least) return value > least;
  }
  return true;
}
