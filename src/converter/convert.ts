/** Checkpoints of Hugging Face folders into the folders that the evaluators read, by a Python program beside the package. */

import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { onAbort, signalSchema } from '../abort.js';
import { AbortError, FileError, ModelError, throwIfAborted, UsageError } from '../errors.js';
import { parsedJson } from '../json.js';
import { describePath, integerFrom, parseOptions } from '../options.js';
import { outEntries, takeAway } from './out-folder.js';
import { CONVERTER, findPython, pythonEnvironment } from './python.js';
import { examineTrunk, type TrunkType } from './trunk-file.js';
import { WEIGHT_TYPES } from './weight-types.js';

const path = z.string('expected a path').min(1, 'expected a path');

/** What `convertModel` takes. */
export interface ConvertOptions {
  /** Which of the two evaluators it becomes. */
  kind: 'reward' | 'clip';
  /** Folder of the checkpoint: config.json, *.safetensors, the tokenizer. */
  from: string;
  /** Folder to write; it must not hold a model yet. */
  out: string;
  /**
   * How the large matrices are stored; arithmetic stays float32. Integers for reward models alone; not beside `trunk`.
   * @default 'fp32'
   */
  weights?: (typeof WEIGHT_TYPES)[number] | undefined;
  /**
   * A GGUF of the checkpoint's layers, in any quantisation: llama.cpp then runs them, and the graph is of the heads
   * alone. It is copied. Reward models alone. @default none: the graph is of everything
   */
  trunk?: string | undefined;
  /**
   * What the trunk's self-test may be off by, > 0, for scores of at most 1; larger ones get as much more. Beside
   * `trunk` alone.
   * @default by the trunk's coarsest number format: 0.001 for F32, 0.005 for F16, 0.02 for BF16, 0.1 for Q8_0, else 0.2
   */
  tolerance?: number | undefined;
  /** Called with the trunk that fits the checkpoint, before the long work; what it throws ends the conversion. */
  checkTrunk?: ((trunk: string) => Promise<void>) | undefined;
  /** Name of the model; not empty. @default the checkpoint's folder */
  name?: string | undefined;
  /** Path of a Jinja chat template. @default the checkpoint's own */
  template?: string | undefined;
  /** Tokens that the reward model reads at most, >= 64. @default 1024; 512 for an encoder */
  maxTokens?: number | undefined;
  /** Of a classifier with several labels, the one that a good answer gets: its name, or its number from 0. Reward models alone. */
  label?: string | undefined;
  /** Bytes of weights from which they get a file of their own, >= 0; not beside `trunk`. @default 256 MB */
  externalAbove?: number | undefined;
  /** The Python to run. @default ETA_VLM_PYTHON, else python3 */
  python?: string | undefined;
  /** Ends the conversion with an AbortError; `out` is left as it was. */
  signal?: AbortSignal | undefined;
  /** Called with what is going on; `fraction` from 0 to 1. */
  onProgress?: ((step: string, fraction: number) => void) | undefined;
  /** Called with what is worth knowing, such as packages of other versions. */
  onNote?: ((text: string) => void) | undefined;
}

const schema = z.strictObject({
  kind: z.enum(['reward', 'clip'], 'expected reward or clip'),
  from: path,
  out: path,
  weights: z.enum(WEIGHT_TYPES, `expected ${WEIGHT_TYPES.join(', ')}`).optional(),
  trunk: path.optional(),
  tolerance: z.number('expected a number above 0').positive('expected a number above 0').optional(),
  checkTrunk: z
    .custom<(trunk: string) => Promise<void>>((value) => typeof value === 'function', 'expected a function')
    .optional(),
  name: z.string('expected a name').min(1, 'expected a name').optional(),
  template: path.optional(),
  maxTokens: integerFrom(64).optional(),
  label: z.string('expected a label').min(1, 'expected a label').optional(),
  externalAbove: integerFrom(0).optional(),
  python: path.optional(),
  signal: signalSchema.optional(),
  onProgress: z
    .custom<(step: string, fraction: number) => void>((value) => typeof value === 'function', 'expected a function')
    .optional(),
  onNote: z.custom<(text: string) => void>((value) => typeof value === 'function', 'expected a function').optional(),
});

const lineSchema = z.union([
  z.object({ step: z.string(), fraction: z.number() }),
  /** `unwritten`: what the system calls the reason, when a file could not be written. */
  z.object({ error: z.string(), unwritten: z.string().optional() }),
  z.object({ done: z.string() }),
]);

/** Lines of the program's own that are kept for a message. */
const TAIL_LINES = 6;

/**
 * Converts one checkpoint. When the conversion fails, a folder that was not there before is taken away again, and one that
 * was empty is emptied.
 *
 * @throws UsageError for wrong options, and an `out` that is no folder; FileError ERR_FILE_READ, ERR_FILE_WRITE; ModelError ERR_PYTHON, ERR_MODEL_NOT_FOUND, ERR_CONVERT; AbortError
 */
export async function convertModel(options: ConvertOptions): Promise<void> {
  const parsed = parseOptions(schema, options, 'convertModel options');
  const { from, out, trunk, signal, onNote } = parsed;
  checkTogether(parsed);
  const held = await outEntries(out);
  if ((await kindOf(from)) !== 'folder')
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      `Expected a Hugging Face model folder at ${describePath(from)}, received ${(await kindOf(from)) === 'file' ? 'a file' : 'nothing there'}. Check the path.`,
    );
  const trunkType = trunk === undefined ? undefined : await examineTrunk(trunk, from);
  if (trunk !== undefined) await parsed.checkTrunk?.(trunk);
  const python = await findPython(parsed.python, signal);
  if (python.untested.length > 0) onNote?.(`Other versions than the tested ones: ${python.untested.join(', ')}.`);
  try {
    await run(python.command, wordsOf(parsed, trunkType), parsed);
  } catch (error) {
    await takeAway(out, held);
    throw error;
  }
}

/** Options that exclude each other. @throws UsageError ERR_INVALID_OPTION */
function checkTogether({ kind, weights, trunk, tolerance, label, externalAbove }: z.output<typeof schema>): void {
  const refuse = (text: string): never => {
    throw new UsageError('ERR_INVALID_OPTION', text);
  };
  if (kind === 'clip' && trunk !== undefined)
    refuse('trunk: expected none for CLIP, received one. llama.cpp runs the layers of reward models alone.');
  if (kind === 'clip' && (weights === 'int8' || weights === 'int4'))
    refuse(
      `weights: expected fp32 or fp16 for CLIP, received ${weights}. Its towers are small: there is little to save.`,
    );
  if (kind === 'clip' && label !== undefined)
    refuse('label: expected none for CLIP, received one. It names a label of a reward model: leave it out.');
  if (trunk !== undefined && weights !== undefined)
    refuse(
      `weights: expected none beside a trunk, received ${weights}. The GGUF has number formats of its own: leave weights out, or take a GGUF of another quantisation.`,
    );
  if (trunk !== undefined && externalAbove !== undefined)
    refuse('externalAbove: expected none beside a trunk, received one. The graph of the heads is small: leave it out.');
  if (trunk === undefined && tolerance !== undefined)
    refuse(
      'tolerance: expected a trunk beside it, received none. The self-test of a graph needs no room for rounding.',
    );
}

function wordsOf(options: z.output<typeof schema>, trunkType: TrunkType | undefined): string[] {
  const words = [CONVERTER, options.kind, '--from', options.from, '--out', options.out];
  if (options.trunk === undefined || trunkType === undefined) words.push('--weights', options.weights ?? 'fp32');
  else words.push('--trunk', options.trunk, '--trunk-type', trunkType);
  if (options.tolerance !== undefined) words.push('--tolerance', String(options.tolerance));
  if (options.name !== undefined) words.push('--name', options.name);
  if (options.template !== undefined) words.push('--template', options.template);
  if (options.maxTokens !== undefined) words.push('--max-tokens', String(options.maxTokens));
  if (options.label !== undefined) words.push('--label', options.label);
  if (options.externalAbove !== undefined) words.push('--external-above', String(options.externalAbove));
  return words;
}

function run(
  command: string,
  words: readonly string[],
  { signal, onProgress }: Pick<z.output<typeof schema>, 'signal' | 'onProgress'>,
): Promise<void> {
  throwIfAborted(signal);
  return new Promise((resolve, reject) => {
    const running = spawn(command, words, { stdio: ['ignore', 'ignore', 'pipe'], env: pythonEnvironment() });
    const takeBack = onAbort(signal, () => running.kill());
    let failure: { readonly error: string; readonly unwritten?: string | undefined } | undefined;
    const tail: string[] = [];
    const lines = createInterface({ input: running.stderr });
    lines.on('line', (line) => {
      const said = lineSchema.safeParse(parsedJson(line));
      if (!said.success) {
        tail.push(line);
        if (tail.length > TAIL_LINES) tail.shift();
      } else if ('step' in said.data) onProgress?.(said.data.step, said.data.fraction);
      else if ('error' in said.data) failure = said.data;
    });
    const fail = (text: string, cause?: unknown) => reject(new ModelError('ERR_CONVERT', text, { cause }));
    running.once('error', (cause) => fail(`The converter cannot be started: ${cause.message}.`, cause));
    running.once('close', (code, killedBy) => {
      takeBack();
      if (signal?.aborted) return reject(new AbortError(signal));
      if (code === 0) return resolve();
      if (failure?.unwritten !== undefined)
        return reject(
          new FileError(
            'ERR_FILE_WRITE',
            `Expected to write the model, but it failed: ${failure.unwritten}: ${failure.error}. Make room, or name another folder.`,
          ),
        );
      if (failure !== undefined) return fail(`The checkpoint cannot be converted: ${failure.error}.`);
      if (killedBy === 'SIGKILL' || code === 137)
        return fail(
          'The converter was killed, most likely for lack of memory. Close other programs, or convert on a larger machine.',
        );
      fail(`The converter ended with ${killedBy ?? `exit code ${code}`}: ${tail.join(' | ')}`);
    });
  });
}

async function kindOf(place: string): Promise<'file' | 'folder' | null> {
  return await stat(place).then(
    (found) => (found.isDirectory() ? 'folder' : 'file'),
    () => null,
  );
}
