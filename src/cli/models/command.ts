/** Options of `eta-vlm models` and its parts. */
import { Argument, type Command, Option } from 'commander';
import { WEIGHT_TYPES } from '../../converter/weight-types.js';
import { PROVIDERS } from '../../onnx/provider.js';
import { addTextAfter } from '../../terminal/help.js';
import { withInterrupt } from '../../terminal/interrupt.js';
import { among, filled, positiveNumber, wholeNumber } from '../../terminal/option-values.js';
import { child } from '../child.js';
import { evaluatorDeviceOption } from '../model-options.js';

const AFTER_CONVERT = `
A checkpoint is a folder as Hugging Face saves it: config.json, *.safetensors, the
tokenizer. Known forms: reward models on Llama and Qwen3 with one label (Skywork
Reward V2), ArmoRM, encoders such as DeBERTa; CLIP, SigLIP 2, MobileCLIP.

Conversion needs Python with the packages of models/converter/requirements.txt;
the command says how to install them. Nothing else needs Python.

--trunk takes a GGUF of a reward model's layers, in any quantisation: llama.cpp
runs it, on the GPU too, and only the heads become a graph.

Thresholds do not transfer between models: a converted model has none until
eta-vlm calibrate finds one.`;

const AFTER_PULL = `
Files go into the hub's own cache, and what is there already is used: LLAMA_CACHE,
else HF_HUB_CACHE, else hub in HF_HOME, else ~/.cache/huggingface/hub. A pull that
was stopped goes on with the same command. HF_ENDPOINT names another hub, HF_TOKEN
says who asks, HF_HUB_OFFLINE=1 opens no connection; HTTPS_PROXY and NO_PROXY hold.`;

export function addModels(program: Command): void {
  const models = child(program, 'models', 'List, fetch, verify, name and convert models.').enablePositionalOptions();
  child(models, 'list', 'What is known: where it lies, how large it is, which thresholds hold.')
    .argument('[models...]', 'names or folders (default: all that are known by name)')
    .option('--json', 'print one JSON object')
    .action(async (names: string[], options: import('./list.js').ListOptions) => {
      await withInterrupt(async () => {
        const { listModels } = await import('./list.js');
        process.exitCode = await listModels(names, options);
      });
    });
  child(models, 'verify', 'Check hashes, run self-tests, and say by how much a model is off.')
    .argument('[models...]', 'names or folders (default: all that are known by name)')
    .addOption(evaluatorDeviceOption(PROVIDERS))
    .option('--json', 'print one JSON object')
    .action(async (names: string[], options: import('./verify.js').VerifyOptions) => {
      await withInterrupt(async (signal) => {
        const { verifyModels } = await import('./verify.js');
        process.exitCode = await verifyModels(names, options, signal);
      });
    });
  addPull(models);
  addNaming(models);
  addConvert(models);
}

function addPull(models: Command): void {
  const command = child(models, 'pull', 'Fetch models from a hub into the cache that its clients share.')
    .argument('<models>', 'a set by name, or hf:owner/name, hf:owner/name:Q4_K_M, hf:owner/name/file.gguf', filled)
    .option('--accept-licence', 'agree to a licence that asks for it')
    .option('--json', 'print one JSON object');
  addTextAfter(command, AFTER_PULL).action(async (what: string, options: import('./pull.js').PullOptions) => {
    await withInterrupt(async (signal) => {
      const { pull } = await import('./pull.js');
      process.exitCode = await pull(what, options, signal);
    });
  });
}

function addNaming(models: Command): void {
  child(models, 'add', 'Give models of your own a name.')
    .argument('<name>', 'what they are called from now on', filled)
    .argument('<path...>', 'a folder with language-model.gguf, or the files and folders of the parts')
    .action(async (name: string, paths: string[]) => {
      await withInterrupt(async () => {
        const { addModelSet } = await import('./own-names.js');
        process.exitCode = await addModelSet(name, paths);
      });
    });
  child(models, 'remove', 'Take a name of your own away, or the files of models that were fetched.')
    .argument('<models>', 'a name that was added, a set, or an address of a hub', filled)
    .option('--yes', 'remove files without asking')
    .action(async (name: string, options: import('./remove.js').RemoveOptions) => {
      await withInterrupt(async (signal) => {
        const { removeModelSet } = await import('./remove.js');
        process.exitCode = await removeModelSet(name, options, signal);
      });
    });
  child(models, 'use', 'Say which models the command line takes where nothing else is said.')
    .argument('<models>', 'a name, an address of a hub, or a folder', filled)
    .action(async (name: string) => {
      await withInterrupt(async () => {
        const { useModels } = await import('./own-names.js');
        process.exitCode = await useModels(name);
      });
    });
}

function addConvert(models: Command): void {
  const command = child(models, 'convert', 'Convert a Hugging Face checkpoint of an evaluator.')
    .addArgument(among(new Argument('<kind>', 'which evaluator'), ['reward', 'clip']))
    .requiredOption('--from <folder>', 'the checkpoint', filled)
    .requiredOption('--out <folder>', 'where the model goes; it must not hold one', filled)
    .addOption(
      among(
        new Option('--weights <type>', 'how the matrices are stored; int8 and int4 for reward models (default: fp32)'),
        WEIGHT_TYPES,
      ),
    )
    .option('--trunk <file>', "a GGUF of a reward model's layers, for llama.cpp to run; in place of --weights", filled)
    .option(
      '--tolerance <number>',
      'what the self-test of a trunk may be off by (default: by its quantisation)',
      positiveNumber,
    )
    .option('--name <name>', "the model's name (default: that of the checkpoint's folder)", filled)
    .option('--template <file>', "a Jinja chat template in place of the checkpoint's own", filled)
    .option(
      '--max-tokens <count>',
      'tokens that the reward model reads (default: 1024; encoders: 512)',
      wholeNumber(64),
    )
    .option('--label <name>', 'of a classifier with several labels, the one that a good answer gets', filled)
    .option('--python <file>', 'the Python to run (default: $ETA_VLM_PYTHON, else python3)', filled)
    .option('--json', 'print one JSON object');
  addTextAfter(command, AFTER_CONVERT).action(
    async (which: 'reward' | 'clip', options: import('./convert.js').ConvertCommandOptions) => {
      await withInterrupt(async (signal) => {
        const { convert } = await import('./convert.js');
        process.exitCode = await convert(which, options, signal);
      });
    },
  );
}
