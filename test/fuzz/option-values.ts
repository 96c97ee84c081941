/**
 * Values that are no options, in calls of the library: each is refused with an error of ours, or taken. Seeds go round the
 * calls: the seed's rest by their number says which is made.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { types } from 'node:util';
import { ResultsFile, runBatch, settingsOf } from '../../src/batch/index.js';
import { type Eta, loadEta } from '../../src/index.js';
import { loadTiny } from '../eta/tiny.js';
import type { Fuzz, FuzzOptions, FuzzResult } from './fuzz.js';
import { oddOptions } from './odd-options.js';
import { Random } from './random.js';
import { Tally } from './tally.js';
import { tryWithin } from './within-process.js';

type Call = (random: Random) => Promise<unknown>;

/** Calls of the library. What is sound ends at once: the signal has fired, or the model is not there. */
function calls(eta: Eta, folder: string): readonly Call[] {
  const signal = AbortSignal.abort();
  const request = { prompt: 'What?', maxTokens: 2, method: 'vanilla', signal };
  const conversation = { turns: [{ role: 'user', text: 'Hi' }], maxTokens: 2, signal };
  const given = (value: unknown) => value as never;
  let files = 0;
  return [
    (random) =>
      loadEta(
        given(oddOptions({ models: { languageModel: join(folder, 'none.gguf') }, contextSize: 512 }, random)),
      ).then((loaded) => loaded.dispose()),
    (random) => eta.respond(given(oddOptions(request, random))),
    (random) => eta.respond(given(oddOptions(conversation, random))),
    async (random) => {
      for await (const _ of eta.stream(given(oddOptions(request, random)))) break;
    },
    (random) => eta.evaluate(given(oddOptions({ prompt: 'What?', answer: 'Yes.', signal }, random))),
    (random) => settingsOf(eta.facts, given(oddOptions({ seed: 1 }, random)), signal),
    async (random) => {
      const path = join(folder, `${files++}.jsonl`);
      const file = await ResultsFile.open(given(inFolder(folder, oddOptions({ path, settings: { seed: 1 } }, random))));
      await file.close();
    },
    (random) => runBatch(given(oddOptions({ eta, requests: [], results: {}, concurrency: 2, signal }, random))),
  ];
}

/** A text may be taken for a path, and a file made there: not where the fuzzer is run. */
function inFolder(folder: string, options: unknown): unknown {
  if (typeof options !== 'object' || options === null || types.isProxy(options)) return options;
  const path = Object.getOwnPropertyDescriptor(options, 'path')?.value;
  if (typeof path === 'string' && path !== '' && !isAbsolute(path))
    Object.defineProperty(options, 'path', { value: join(folder, path) });
  return options;
}

export async function fuzzOptionValues(eta: Eta, options: FuzzOptions): Promise<FuzzResult> {
  const tally = new Tally();
  const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-fuzz-'));
  const made = calls(eta, folder);
  try {
    await tryWithin(tally, options, async (seed) => {
      await made[seed % made.length]?.(new Random(seed));
      return 'taken';
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return tally.result(options.count);
}

export const optionValues: Fuzz = {
  name: 'option-values',
  count: 2000,
  async run(options) {
    await using eta = await loadTiny();
    return await fuzzOptionValues(eta, options);
  },
};
