/** Options that say which models run and where, the same for every command that loads them. */
import { type Command, Option } from 'commander';
import { CONVERSATION_FORMS } from '../engine/conversation-forms.js';
import { GPU_LAYERS } from '../engine/gpu-layers.js';
import { UsageError } from '../errors.js';
import { EVALUATOR_DEVICES, type EvaluatorDevice } from '../onnx/provider.js';
import { among, filled, positiveNumber, wholeNumber } from '../terminal/option-values.js';
import type { PolicyName } from '../types/policy.js';
import type { ConversationForm } from '../types/turn.js';

/** Number formats of the cache, by memory. */
export const CACHE_TYPES = ['f32', 'f16', 'q8_0'] as const;
type CacheType = (typeof CACHE_TYPES)[number];

export interface ModelFlags {
  readonly policy?: PolicyName;
  readonly models?: string;
  /** An address of a hub, whose files are fetched where they are not here. */
  readonly hf?: string;
  readonly acceptLicence?: boolean;
  readonly languageModel?: string;
  readonly projector?: string;
  readonly clip?: string;
  readonly rewardModel?: string;
  readonly decision?: string;
  readonly guard?: string;
  readonly guardProjector?: string;
  readonly safetyVector?: string;
  readonly vectorScale?: number;
  readonly thresholds?: string;
  readonly contextSize?: number;
  readonly conversationForm?: ConversationForm;
  readonly cacheType?: CacheType;
  readonly threads?: number;
  readonly device?: string;
  readonly gpuLayers?: number;
  readonly exact?: boolean;
  readonly evaluatorDevice?: EvaluatorDevice;
  readonly maxPixels?: number;
}

/** Where evaluators run; the same for every command that loads them. */
export function evaluatorDeviceOption(devices: readonly EvaluatorDevice[] = EVALUATOR_DEVICES): Option {
  return among(new Option('--evaluator-device <device>', 'where the evaluators run (default: cpu)'), devices);
}

/** How large a picture may be; of what it is counted, and the default, as the help tells them. */
export function maxPixelsOption(what = 'a picture', millions = 100): Option {
  const option = new Option('--max-pixels <count>', `pixels of ${what} at most (default: ${millions} million)`);
  return option.argParser(wholeNumber(1, 1_000_000_000));
}

/** @param pixels how large pictures may be */
export function addModelOptions(command: Command, pixels: Option = maxPixelsOption()): Command {
  return addMachineOptions(command).addOption(evaluatorDeviceOption()).addOption(pixels);
}

function addMachineOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--models <models>', 'models by name, hf:owner/name whose files are here, or a folder that holds them')
        .argParser(filled)
        .conflicts(['languageModel', 'projector']),
    )
    .option('--language-model <file>', 'language model (GGUF, or hf:owner/name whose files are here)', filled)
    .option('--projector <file>', 'its projector (mmproj GGUF, or hf:owner/name)', filled)
    .option('--clip <path>', 'CLIP: a folder, the vision graph of one as others publish it, or hf:owner/name', filled)
    .option('--reward-model <folder>', 'reward model (with manifest.json)', filled)
    .option('--decision <form>', "judge answers by a reply of one token: a guard's form, self, or a JSON file", filled)
    .option('--guard <file>', 'the guard that is asked (GGUF, or hf:owner/name, fetched where it is not here)', filled)
    .option('--guard-projector <file>', 'its projector (as the guard), for one that sees pictures', filled)
    .option('--safety-vector <file>', "what the method steered answers under: a file of 'eta-vlm steer'", filled)
    .option('--vector-scale <number>', 'how many times it is added (default: 1)', positiveNumber)
    .option('--thresholds <file>', "thresholds that 'eta-vlm calibrate' found for these models", filled)
    .addOption(
      among(
        new Option(
          '--conversation-form <form>',
          "of a LLaVA-1.5 model: as its file says, or LLaVA's own (default: file; llava_v1 with --policy paper)",
        ),
        CONVERSATION_FORMS,
      ),
    )
    .optionsGroup('Machine:')
    .option('--context-size <count>', 'tokens that the cache holds', wholeNumber(1, 2 ** 24))
    .addOption(among(new Option('--cache-type <type>', 'numbers of the cache (default: f16)'), CACHE_TYPES))
    .option('--threads <count>', 'threads to compute with', wholeNumber(1, 256))
    .option('--device <name>', "what to compute on, as 'eta-vlm doctor' names it, or CPU (default: auto)", filled)
    .option(
      '--gpu-layers <count>',
      'layers on the GPU; 0: none, -1: all (default: as many as fit)',
      wholeNumber(GPU_LAYERS.least, GPU_LAYERS.most),
    )
    .option('--exact', 'one request at a time: the same answers, bit for bit, whatever else is asked');
}

/** Of commands that may fetch what they need. */
export function addHubOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--hf <address>', 'models of a hub, fetched where they are not here: owner/name, or owner/name:Q4_K_M')
        .argParser(filled)
        .conflicts(['models', 'languageModel', 'projector']),
    )
    .option('--accept-licence', 'agree to a licence that asks for it, with --hf or --guard hf:');
}

/**
 * The decision that these flags name; undefined without one.
 *
 * @throws UsageError ERR_INVALID_OPTION when a guard is named without a form
 */
export function decisionChoice({
  decision: form,
  guard,
  guardProjector,
}: Pick<ModelFlags, 'decision' | 'guard' | 'guardProjector'>) {
  if (form === undefined && (guard !== undefined || guardProjector !== undefined)) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      'Expected --decision beside --guard or --guard-projector, received none. Name the form of the guard, such as qwen3guard.',
    );
  }
  return form === undefined ? undefined : given({ form, guard, guardProjector });
}

/**
 * The safety vector that these flags name; undefined without one.
 *
 * @throws UsageError ERR_INVALID_OPTION for a scale of none
 */
export function vectorChoice({
  safetyVector: path,
  vectorScale: scale,
}: Pick<ModelFlags, 'safetyVector' | 'vectorScale'>) {
  if (path === undefined && scale !== undefined)
    throw new UsageError(
      'ERR_INVALID_OPTION',
      "Expected --safety-vector beside --vector-scale, received none. Name the file that 'eta-vlm steer' wrote.",
    );
  return path === undefined ? undefined : given({ path, scale });
}

/** The object without its undefined fields, so that what was not said is absent. */
export function given<Value extends Readonly<Record<string, unknown>>>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Value;
}
