/** The doctor's report for people. */

import { fitLine } from '../../terminal/fit.js';
import { labelled, type Paint } from '../../terminal/paint.js';
import { size } from '../../terminal/size.js';
import { calibrationText } from '../verdict-text.js';
import type { DoctorReport } from './facts.js';
import type { ModelsFacts, ModelsRun } from './models.js';

const LABEL_WIDTH = 13;
/** What llama.cpp writes for a count of parameters that it has no name for. */
const UNKNOWN_SIZE = ' ?B';
const NO_THRESHOLD = 'no threshold: find one with eta-vlm calibrate';

/** One block a part, the problems with their remedies last. */
export function reportLines(report: DoctorReport, { paint, columns }: { paint: Paint; columns: number }): string[] {
  const say = (label: string, text: string) =>
    labelled(label, text, { labelWidth: LABEL_WIDTH, columns }).map(
      (line) => `${paint('dim', line.slice(0, LABEL_WIDTH))}${line.slice(LABEL_WIDTH)}`,
    );
  const missing = paint('red', 'missing');
  const { machine, node, addon, addonFile, onnxruntime, pictures, run, problems } = report;
  const lines = [
    ...say('eta-vlm', report.version),
    ...say('machine', `${machine.platform} ${machine.release} ${machine.architecture}`),
    ...say('processor', `${machine.cpu}, ${machine.physicalCoreCount} cores, ${machine.logicalCoreCount} threads`),
    ...say('memory', `${size(machine.memoryTotalBytes)}, ${size(machine.memoryFreeBytes)} free`),
    ...say('Node', `${node.version} (needs ${node.required})`),
  ];
  if (addon === null)
    lines.push(...say('addon', addonFile === null ? missing : `${paint('red', 'cannot be used')}: ${addonFile}`));
  else {
    lines.push(...say('addon', `llama.cpp ${addon.llamaTag}, ${addon.route}; backends: ${addon.backends.join(', ')}`));
    for (const device of addon.devices) {
      const memory = `${size(device.memoryTotalBytes)}, ${size(device.memoryFreeBytes)} free`;
      lines.push(...say('', `${device.name}: ${device.description} (${device.type}, ${memory})`));
    }
    lines.push(...addonLines(addon, say));
  }
  lines.push(...report.gpuAdvice.flatMap((advice) => say('GPU', advice)));
  const telemetry = onnxruntime?.telemetry === 'off' ? 'telemetry off' : paint('red', 'telemetry may be on');
  const runtime = onnxruntime === null ? missing : `${onnxruntime.version}, on the processor, ${telemetry}`;
  lines.push(...say('onnxruntime', runtime));
  for (const { name, refusal } of onnxruntime?.evaluatorDevices ?? []) {
    const use = refusal === null ? `works here (--evaluator-device ${name})` : `cannot be used here: ${refusal}`;
    lines.push(...say('', `${name}: ${use}`));
  }
  lines.push(
    ...say('pictures', pictures === null ? missing : `${pictures.formats.join(', ')} (sharp ${pictures.sharp})`),
  );
  for (const models of report.models) lines.push(...modelLines(models, say, { paint, columns }));
  if (run !== null) lines.push('', ...runLines(report, run, say));
  lines.push('');
  if (problems.length === 0) lines.push(paint('green', 'Everything that an answer needs is here.'));
  for (const { what, remedy } of problems) {
    const [first = '', ...rest] = labelled('problem', what, { labelWidth: LABEL_WIDTH, columns });
    lines.push(
      `${paint('red', first.slice(0, LABEL_WIDTH))}${first.slice(LABEL_WIDTH)}`,
      ...rest,
      ...say('remedy', remedy),
    );
  }
  return lines;
}

/** Where the addon and its backends come from. */
function addonLines(
  { place, processorBackends, gpuBackends }: NonNullable<DoctorReport['addon']>,
  say: (label: string, text: string) => string[],
): string[] {
  return [
    ...say('', place),
    ...(processorBackends === null ? [] : say('', `for the processor: ${processorBackends}`)),
    ...gpuBackends.flatMap(({ package: name, problem }) =>
      say('', `${name}: ${problem === null ? 'loaded' : `not loaded, ${problem}`}`),
    ),
  ];
}

function runLines(
  { addon }: DoctorReport,
  { languageModel: model, clip, rewardModel, evaluatorThreadCount, loadMs }: ModelsRun,
  say: (label: string, text: string) => string[],
): string[] {
  const gpu = addon?.devices.find(({ type }) => type !== 'cpu' && type !== 'accelerator');
  const processor = (threadCount: number) =>
    `on the processor, ${threadCount} ${threadCount === 1 ? 'thread' : 'threads'}`;
  const measured =
    model.measuresThreads && model.threadCount > 1 ? ', or fewer: what is fastest is measured while it runs' : '';
  const place =
    gpu === undefined
      ? `${processor(model.threadCount)}${measured}`
      : `all layers on ${gpu.name} (fewer with --gpu-layers)`;
  const about = `${model.description.replace(UNKNOWN_SIZE, '')}, ${model.layerCount} layers, ${size(model.sizeBytes)}`;
  const evaluator = processor(evaluatorThreadCount);
  const by = (source: string) => (source === 'manifest' ? '' : `, by ${source}`);
  return [
    ...say('will run', `language model (${about}) ${place}`),
    ...say(
      '',
      clip === null
        ? 'no CLIP'
        : `CLIP (${clip.name}) ${evaluator}; ${clip.unsafeClipScore === null ? NO_THRESHOLD : `unsafe from ${clip.unsafeClipScore} on${by(clip.source)}${calibrationText(clip)}`}`,
    ),
    ...say(
      '',
      rewardModel === null
        ? 'no reward model'
        : `reward model (${rewardModel.name}) ${evaluator}; ${rewardModel.safeReward === null ? NO_THRESHOLD : `safe above ${rewardModel.safeReward}${by(rewardModel.source)}${calibrationText(rewardModel)}`}`,
    ),
    ...say('', `all loaded, hashes and self-tests checked, in ${(loadMs / 1000).toFixed(2)} s`),
  ];
}

function modelLines(
  models: ModelsFacts,
  say: (label: string, text: string) => string[],
  { paint, columns }: { readonly paint: Paint; readonly columns: number },
): string[] {
  const lines = ['', ...say('models', paint('bold', models.name)), ...say('', models.description)];
  for (const { path, sizeBytes, hash } of models.files) {
    const verdict = {
      matches: paint('green', 'hash matches'),
      differs: paint('red', 'hash differs'),
      unknown: 'no known hash',
      unchecked: '',
    }[hash];
    const start = `    ${size(sizeBytes).padStart(9)}  `;
    lines.push(...fitLine(`${start}${path}${verdict === '' ? '' : `  ${verdict}`}`, columns, start.length));
  }
  if (models.problem !== null) lines.push(...say('', paint('red', 'cannot be used')));
  return lines;
}
