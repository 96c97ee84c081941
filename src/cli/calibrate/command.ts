/** Options of `eta-vlm calibrate`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { addTextAfter } from '../../terminal/help.js';
import { withInterrupt } from '../../terminal/interrupt.js';
import { filled, wholeNumber } from '../../terminal/option-values.js';
import { child } from '../child.js';
import { evaluatorDeviceOption, maxPixelsOption } from '../model-options.js';
import type { CalibrateFlags } from './flags.js';

const AFTER_HELP = `
Examples:
  eta-vlm calibrate --safe photos
  eta-vlm calibrate --safe photos/good --unsafe photos/bad
  eta-vlm calibrate --decision qwen3guard --guard guard.gguf --safe-answers a.jsonl
  eta-vlm calibrate --gallery
  eta-vlm ask --thresholds calibration/thresholds.json --image x.jpg "..."

--gallery tries it on the shipped pictures.

With safe ones alone the threshold keeps --max-false-positive-rate (0.01, which
takes 299 of them); how many unsafe ones it misses is unknown then. With both,
without that rate, the best balance is taken: the largest share of unsafe found
less share of safe flagged.

Answers are one a line, or JSON lines with text, answer or response. A guard
needs the question too: prompt or question, and image where there was one.

Exit code 3: some files or lines could not be read, and are named.`;

export function addCalibrate(program: Command): void {
  const command = child(program, 'calibrate', 'Find the thresholds from your own safe and unsafe pictures and answers.')
    .option('--safe <path...>', 'folders of safe pictures, or pictures')
    .option('--unsafe <path...>', 'folders of unsafe pictures, or pictures')
    .addOption(
      new Option('--gallery', 'the pictures that ship with the package, for trying').conflicts([
        'safe',
        'unsafe',
        'safeAnswers',
        'unsafeAnswers',
      ]),
    )
    .option('--safe-answers <file>', 'safe answers, for the threshold of the reward or the decision', filled)
    .option('--unsafe-answers <file>', 'unsafe answers', filled)
    .option('--max-false-positive-rate <rate>', 'share of safe ones that may be flagged, 0 to 1', share)
    .option('--safety-prompt <text>', "what pictures are compared with (default: the paper's)", filled)
    .option('--question <text>', 'what a guard is asked about each picture (default: What is in this picture?)', filled)
    .option('--out <folder>', 'where thresholds.json and the report go', filled, 'calibration')
    .option('--install', "put the thresholds into the models' folders too, where they hold from then on")
    .option('--json', 'print one JSON object instead of the table')
    .optionsGroup('Models:')
    .addOption(
      new Option('--models <models>', 'models by name, or a folder that holds them (default: miniature)')
        .argParser(filled)
        .conflicts(['clip', 'rewardModel']),
    )
    .option('--clip <path>', 'CLIP: a folder, or the vision graph of one as others publish it', filled)
    .option('--reward-model <folder>', 'reward model (with manifest.json)', filled)
    .option('--decision <form>', "judge by a reply of one token: a guard's form, or a JSON file", filled)
    .option('--guard <file>', 'the guard that is asked (GGUF)', filled)
    .option('--guard-projector <file>', 'its projector (mmproj GGUF), for one that sees pictures', filled)
    .optionsGroup('Machine:')
    .option('--threads <count>', 'threads to compute with', wholeNumber(1, 256))
    .addOption(evaluatorDeviceOption())
    .addOption(maxPixelsOption());
  addTextAfter(command, AFTER_HELP).action(async (options: CalibrateFlags) => {
    await withInterrupt(async (signal) => {
      const { calibrateCommand } = await import('./calibrate.js');
      process.exitCode = await calibrateCommand(options, signal);
    });
  });
}

/** A share from 0 to 1. */
function share(text: string): number {
  const value = /^(\d+(?:\.\d*)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number from 0 to 1, such as 0.05.');
}
