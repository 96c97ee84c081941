/** What the options of a command, and what was chosen for all of them, come to for loadEta. */
import { UsageError } from '../errors.js';
import { hubAddressText, isHubAddress, parseHubAddress } from '../hub/index.js';
import { modelChoice } from './chosen-models.js';
import { readConfig } from './config/config-file.js';
import { given, type ModelFlags } from './model-options.js';

/**
 * The part of loadEta's options that these flags say; what was not given is left out, so that the defaults stand.
 *
 * @throws UsageError ERR_INVALID_OPTION when parts are named without the language model
 */
export function loadOptions(flags: ModelFlags) {
  const { languageModel, projector, clip, rewardModel, hf } = flags;
  const parts = { projector, clip, rewardModel };
  if (languageModel === undefined && hf === undefined && Object.values(parts).some((part) => part !== undefined)) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      'Expected --language-model beside --projector, --clip or --reward-model, received none. Name the GGUF file of the language model too.',
    );
  }
  return given({
    policy: flags.policy ?? readConfig().policy,
    models: partsNamed(ofHub(hf) ?? languageModel, parts) ?? modelChoice(flags.models),
    download: hf === undefined ? undefined : true,
    acceptLicence: flags.acceptLicence,
    thresholdsFile: flags.thresholds,
    contextSize: flags.contextSize,
    cacheType: flags.cacheType,
    threadCount: flags.threads,
    device: flags.device,
    gpuLayerCount: flags.gpuLayers,
    evaluatorDevice: flags.evaluatorDevice,
  });
}

/** An address of a hub alone stands for all that is there. */
function partsNamed(languageModel: string | undefined, parts: Readonly<Record<string, string | undefined>>) {
  if (languageModel === undefined) return undefined;
  const isWhole = isHubAddress(languageModel) && Object.values(parts).every((part) => part === undefined);
  return isWhole ? languageModel : given({ languageModel, ...parts });
}

/** "hf:" may stand before an address, or not. */
function ofHub(address: string | undefined): string | undefined {
  return address === undefined ? undefined : hubAddressText(parseHubAddress(address));
}
