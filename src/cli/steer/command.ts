/** Options of `eta-vlm steer`. */
import { type Command, Option } from 'commander';
import { GPU_LAYERS } from '../../engine/gpu-layers.js';
import { addTextAfter } from '../../terminal/help.js';
import { withInterrupt } from '../../terminal/interrupt.js';
import { filled, wholeNumber } from '../../terminal/option-values.js';
import { child } from '../child.js';
import { maxPixelsOption } from '../model-options.js';

const AFTER_HELP = `
Examples:
  eta-vlm steer --refused harmful.jsonl --answered risky.jsonl --layer 16
  eta-vlm ask --safety-vector safety-vector.gguf --method steered --image x.jpg "..."

Requests are written as batch reads them. Those of --refused are texts that the
model refuses by itself; those of --answered are about pictures, ask for what it
should refuse, and are answered. The vector is the mean of what the layer makes
of the first, less the mean of what it makes of the second.

Near 1 the two halves of the requests give one direction; near 0 it is noise.

Exit code 3: some requests could not be read, and are named.`;

export function addSteer(program: Command): void {
  const command = child(program, 'steer', 'Make a safety vector, from what a model refuses and what it answers.')
    .option('--refused <file>', 'requests that the model refuses: harmful texts', filled)
    .option('--answered <file>', 'requests that it answers and should not: about risky pictures', filled)
    .option('--layer <number>', 'the layer that is read, and steered', wholeNumber(1, 9999))
    .option('--out <file>', 'where the vector goes', filled, 'safety-vector.gguf')
    .option('--json', 'print one JSON object instead of the text')
    .optionsGroup('Models:')
    .addOption(
      new Option('--models <models>', 'models by name, or a folder that holds them (default: miniature)')
        .argParser(filled)
        .conflicts(['languageModel', 'projector']),
    )
    .option('--language-model <file>', 'language model (GGUF)', filled)
    .option('--projector <file>', 'its projector (mmproj GGUF)', filled)
    .optionsGroup('Machine:')
    .option('--context-size <count>', 'tokens of a request at most (default: 4096)', wholeNumber(1, 2 ** 24))
    .option('--threads <count>', 'threads to compute with', wholeNumber(1, 256))
    .option('--device <name>', "what to compute on, as 'eta-vlm doctor' names it, or CPU (default: auto)", filled)
    .option(
      '--gpu-layers <count>',
      'layers on the GPU; 0: none, -1: all (default: as many as fit)',
      wholeNumber(GPU_LAYERS.least, GPU_LAYERS.most),
    )
    .addOption(maxPixelsOption());
  addTextAfter(command, AFTER_HELP).action(async (options: import('./steer.js').SteerFlags) => {
    await withInterrupt(async (signal) => {
      const { steer } = await import('./steer.js');
      process.exitCode = await steer(options, signal);
    });
  });
}
