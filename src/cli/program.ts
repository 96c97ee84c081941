/** The commands and their options. A command's own module is imported when it runs. */
import { readFileSync } from 'node:fs';
import { type AddHelpTextContext, Command, Option } from 'commander';
import { GPU_LAYERS } from '../engine/gpu-layers.js';
import { didYouMean } from '../near-miss.js';
import { addTextAfter, HELP_FORM, HELP_OUTPUT } from '../terminal/help.js';
import { withInterrupt } from '../terminal/interrupt.js';
import { among, collected, collectedTexts, filled, wholeNumber } from '../terminal/option-values.js';
import { addBatch } from './batch/command.js';
import { addBenchmark } from './benchmark/command.js';
import { addCalibrate } from './calibrate/command.js';
import { addChat } from './chat/command.js';
import { child } from './child.js';
import { addCompletion } from './completion/command.js';
import { addConfig } from './config/command.js';
import { addExperiment } from './experiment/command.js';
import { addHubOptions, addModelOptions, CACHE_TYPES } from './model-options.js';
import { addModels } from './models/command.js';
import { addPolicyOptions } from './policy-options.js';
import { addServe } from './serve/command.js';
import { addSteer } from './steer/command.js';

const AFTER_HELP = `
Examples:
  eta-vlm ask --image photo.jpg "How do I use this?"
  echo "What is this?" | eta-vlm ask --image photo.jpg --json -
  eta-vlm doctor

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 some items failed, 129, 130
and 143 stopped by a signal. Answers go to stdout, everything else to stderr.
DEBUG=eta-vlm adds stacks to errors.`;

/** The whole command line; `parseAsync` runs it. Refusals are thrown as CommanderError, never written or exited on. */
export function createProgram(): Command {
  const program = new Command('eta-vlm')
    .description('Local vision-language models that answer safely (ETA: evaluate, then align).')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showSuggestionAfterError(true)
    .enablePositionalOptions() // what stands behind a subcommand belongs to it
    .configureHelp(HELP_FORM)
    .configureOutput(HELP_OUTPUT)
    .exitOverride();
  addTextAfter(program, AFTER_HELP).addHelpText('beforeAll', refuseUnknown);
  addAsk(program);
  addChat(program);
  addBatch(program);
  addServe(program);
  addDemo(program);
  addDoctor(program);
  addBenchmark(program);
  addCalibrate(program);
  addSteer(program);
  addExperiment(program);
  addModels(program);
  addConfig(program);
  addBuild(program);
  addPrune(program);
  addCompletion(program);
  return program;
}

/** `help nosuch`, which commander would answer with the help of the program. */
function refuseUnknown({ error, command }: AddHelpTextContext): string {
  const [word, wanted] = command.args;
  if (!error || word !== 'help' || wanted === undefined) return '';
  const names = command.commands.map((known) => known.name());
  return command.error(`unknown command '${wanted}'. ${didYouMean(wanted, names, '')}`.trimEnd(), {
    code: 'commander.unknownCommand',
  });
}

function addAsk(program: Command): void {
  const command = child(program, 'ask', 'Answer one question about pictures, safely, with the verdict.')
    .argument('<question>', "the question, or '-' to read it from stdin")
    .option(
      '--image <file>',
      'a picture (JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP); may be given several times',
      collected,
    )
    .option('--json', 'print one JSON object instead of the text')
    .option('--trace <file>', 'write every round, candidate and score to a JSON file')
    .option('--verbose', 'show the rounds of the search too')
    .option('--seed <seed>', 'same seed, same answer', wholeNumber(0, 0xffffffff))
    .option('--stop <text>', 'end the answer before this text; may be given several times', collectedTexts)
    .optionsGroup('Safety and search:');
  addModelOptions(addHubOptions(addPolicyOptions(command).optionsGroup('Models:'))).action(
    async (question: string, options: import('./ask.js').AskOptions) => {
      await withInterrupt(async (signal) => {
        const { ask } = await import('./ask.js');
        await ask(question, options, signal);
      });
    },
  );
}

function addDemo(program: Command): void {
  child(program, 'demo', 'Answer a harmless and a harmful request about two shipped pictures, and show how.')
    .option('--seed <seed>', 'seed of both answers', wholeNumber(0, 0xffffffff))
    .option('--threads <count>', 'threads to compute with', wholeNumber(1, 256))
    .action(async (options: import('./demo/demo.js').DemoOptions) => {
      await withInterrupt(async (signal) => {
        const { demo } = await import('./demo/demo.js');
        await demo(options, signal);
      });
    });
}

function addDoctor(program: Command): void {
  child(program, 'doctor', 'Tell what this machine has, and what will run where.')
    .option('--verify', 'check the hash of every model file')
    .option('--json', 'print one JSON object')
    .optionsGroup('Memory:')
    .option('--model <models>', 'tell what models take: a name, hf:owner/name, a folder, or a GGUF file', filled)
    .option('--projector <file>', 'with this projector (mmproj GGUF)', filled)
    .option('--clip <path>', 'with this CLIP: its folder, or a vision graph', filled)
    .option('--reward-model <folder>', 'with this reward model', filled)
    .option('--decision <form>', 'with the guard of this form, in place of a reward model', filled)
    .option('--guard <file>', 'with this guard (GGUF)', filled)
    .option('--guard-projector <file>', 'with its projector (mmproj GGUF)', filled)
    .option('--context-size <count>', 'tokens that the cache holds', wholeNumber(1, 2 ** 24))
    .option('--n <count>', 'candidates of each round', wholeNumber(1, 255))
    .addOption(among(new Option('--cache-type <type>', 'numbers of the cache (default: f16)'), CACHE_TYPES))
    .option('--device <name>', 'device that layers would go to', filled)
    .option(
      '--gpu-layers <count>',
      'layers on the GPU instead of as many as fit',
      wholeNumber(GPU_LAYERS.least, GPU_LAYERS.most),
    )
    .action(async (options: import('./doctor/doctor.js').DoctorOptions) => {
      await withInterrupt(async (signal) => {
        const { doctor } = await import('./doctor/doctor.js');
        process.exitCode = await doctor(options, signal);
      });
    });
}

function addBuild(program: Command): void {
  child(
    program,
    'build',
    'Build the native addon from source, where no package has one or it is to use this machine better.',
  )
    .addOption(new Option('--cuda', 'for NVIDIA GPUs').conflicts(['vulkan', 'metal', 'cpu', 'prebuilt']))
    .addOption(new Option('--vulkan', 'for any GPU with Vulkan').conflicts(['metal', 'cpu', 'prebuilt']))
    .addOption(new Option('--metal', 'for Apple GPUs').conflicts(['cpu', 'prebuilt']))
    .option('--cpu', 'for the processor alone')
    .option('--prebuilt', "link node-llama-cpp's compiled llama.cpp instead of building it")
    .action(async (options: Readonly<Record<string, boolean>>) => {
      const { build } = await import('./build.js');
      process.exitCode = await build(Object.keys(options).map((name) => `--${name}`));
    });
}

function addPrune(program: Command): void {
  child(program, 'prune', "Take away onnxruntime's binaries for other platforms than this one.")
    .option('--dry-run', 'only tell what would go')
    .action(async (options: import('./prune.js').PruneOptions) => {
      const { prune } = await import('./prune.js');
      process.exitCode = prune(options);
    });
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}
