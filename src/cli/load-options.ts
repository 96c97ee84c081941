/** What the options of a command, and what was chosen for all of them, come to for loadEta. */
import { UsageError } from '../errors.js';
import { hubAddressText, isHubAddress, parseHubAddress } from '../hub/index.js';
import type { ModelPaths } from '../models/index.js';
import { choiceOf, chosenModels, modelChoice } from './chosen-models.js';
import { readConfig } from './config/config-file.js';
import { decisionChoice, given, type ModelFlags, vectorChoice } from './model-options.js';

/**
 * The part of loadEta's options that these flags say; what was not given is left out, so that the defaults stand.
 *
 * @throws UsageError ERR_INVALID_OPTION when parts are named without the language model
 */
export function loadOptions(flags: ModelFlags) {
  const { languageModel, projector, clip, rewardModel, hf } = flags;
  const parts = { projector, clip, rewardModel };
  const namesParts = Object.values(parts).some((part) => part !== undefined);
  const said = ofHub(hf) ?? flags.models;
  const whole = said ?? (namesParts && languageModel === undefined ? chosenModels().name : undefined);
  if (languageModel === undefined && whole === undefined && namesParts) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      'Expected --language-model or --models beside --projector, --clip or --reward-model, received none. Name the GGUF file of the language model too, or a set.',
    );
  }
  return given({
    policy: flags.policy ?? readConfig().policy,
    decision: decisionChoice(flags),
    models: partsNamed(languageModel, whole, parts) ?? modelChoice(whole),
    download: hf !== undefined || [flags.guard, flags.guardProjector].some(isNamedOnHub) ? true : undefined,
    acceptLicence: flags.acceptLicence,
    safetyVector: vectorChoice(flags),
    thresholdsFile: flags.thresholds,
    contextSize: flags.contextSize,
    conversationForm: flags.conversationForm,
    cacheType: flags.cacheType,
    threadCount: flags.threads,
    device: flags.device,
    gpuLayerCount: flags.gpuLayers,
    exact: flags.exact,
    evaluatorDevice: flags.evaluatorDevice,
    maxPixels: flags.maxPixels,
  });
}

/** Paths, where parts are named: beside a language model, or in place of what a whole has. */
function partsNamed(
  languageModel: string | undefined,
  whole: string | undefined,
  parts: Readonly<Record<'projector' | 'clip' | 'rewardModel', string | undefined>>,
): ModelPaths | undefined {
  if (languageModel !== undefined) return given({ languageModel, ...parts });
  if (whole === undefined || Object.values(parts).every((part) => part === undefined)) return undefined;
  const choice = choiceOf(whole);
  return given({ ...(typeof choice === 'string' ? { languageModel: choice } : choice), ...given(parts) });
}

function isNamedOnHub(place: string | undefined): boolean {
  return place !== undefined && isHubAddress(place);
}

/** "hf:" may stand before an address, or not. */
function ofHub(address: string | undefined): string | undefined {
  return address === undefined ? undefined : hubAddressText(parseHubAddress(address));
}
