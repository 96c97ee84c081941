/** `eta-vlm models verify`: whether the files are what they were, and the models compute what they should. */
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Clip } from '../../clip/index.js';
import { ModelError, throwIfAborted } from '../../errors.js';
import { blobHash } from '../../hub/index.js';
import { type EvaluatorPlace, openTrunk } from '../../loading/index.js';
import { type ResolvedModels, resolveModels } from '../../models/index.js';
import { EvaluatorWorker, type Provider } from '../../onnx/index.js';
import { checkRegular } from '../../regular-file.js';
import { RewardModel } from '../../reward/index.js';
import { EXIT } from '../../terminal/failure.js';
import { fitLine } from '../../terminal/fit.js';
import { columnsOf, createPaint } from '../../terminal/paint.js';
import { print } from '../../terminal/print.js';
import { Progress } from '../../terminal/progress.js';
import { visibleName } from '../../visible.js';
import { compare, hashesOfCard } from '../card-hashes.js';
import { isGguf, modelSets, type Part, partFacts, shown } from '../model-facts.js';
import { LABEL_WIDTH, partName } from './list.js';
import { type GgufPair, tryGguf } from './try-gguf.js';

export interface VerifyOptions {
  readonly json?: boolean;
  readonly evaluatorDevice?: Provider;
}

/** What was found out about one part. */
export interface Verified extends Part {
  readonly name: string;
  readonly isRight: boolean;
  /** What was checked, or what is wrong. */
  readonly finding: string;
  /** Of the self-test: the greatest distance from what it should be, and how much that may be. */
  readonly selfTest: { readonly count: number; readonly difference: number; readonly tolerance: number } | null;
}

/** Prints a line a part; exit code 1 when all are wrong, 3 when some are. */
export async function verifyModels(
  names: readonly string[],
  options: VerifyOptions,
  signal: AbortSignal,
): Promise<number> {
  const progress = new Progress();
  const worker = await EvaluatorWorker.start();
  const found: Verified[] = [];
  try {
    for (const { name, parts, models, published } of await modelSets(names)) {
      if (names.length > 0 && published !== null && models === null) await resolveModels(name); // tells what lacks
      const pairs = pairsOf(models);
      for (const part of parts) {
        throwIfAborted(signal);
        progress.show(`checking ${shown(part.path)} ...`);
        const pair = pairs.get(part.path);
        // With a language model that is wrong nothing is found out about a projector.
        const tried = found.some(({ path, isRight }) => path === pair?.modelPath && !isRight) ? undefined : pair;
        found.push(await verifyPart(part, { worker, provider: options.evaluatorDevice ?? 'cpu' }, signal, tried));
      }
    }
  } finally {
    progress.clear();
    await worker.dispose();
  }
  const paint = createPaint(process.stdout);
  const lines = found.flatMap(({ kind, path, name, isRight, finding }) => [
    `${partName(kind).padEnd(LABEL_WIDTH)}${visibleName(name)}  ${paint('dim', shown(path))}`,
    `${' '.repeat(LABEL_WIDTH)}${isRight ? paint('green', 'right') : paint('red', 'wrong')}: ${visibleName(finding)}`,
  ]);
  const columns = columnsOf(process.stdout);
  const shownLines = lines.flatMap((line) => fitLine(line, columns, LABEL_WIDTH));
  print(`${options.json ? JSON.stringify({ parts: found }) : shownLines.join('\n')}\n`);
  const wrongCount = found.filter(({ isRight }) => !isRight).length;
  return wrongCount === 0 ? EXIT.ok : wrongCount === found.length ? EXIT.failure : EXIT.someFailed;
}

/** What is loaded to try a GGUF, by its path. */
function pairsOf(models: ResolvedModels | null): Map<string, GgufPair> {
  const pairs = new Map<string, GgufPair>();
  if (models === null) return pairs;
  const { languageModel: modelPath, projector, published } = models;
  pairs.set(modelPath, { modelPath, projectorPath: null });
  if (projector !== null) pairs.set(projector, { modelPath, projectorPath: projector });
  if (published?.guard) {
    const { guard, guardProjector = null } = published.guard;
    pairs.set(guard, { modelPath: guard, projectorPath: guardProjector });
  }
  return pairs;
}

/**
 * Loads an evaluator as an answer does, hashes and self-test included, a trunk in llama.cpp; of a GGUF, head and hash.
 *
 * @param tried what is loaded in a process of its own to try a GGUF
 */
export async function verifyPart(
  part: Part,
  place: EvaluatorPlace,
  signal: AbortSignal,
  tried?: GgufPair,
): Promise<Verified> {
  let name = shown(part.path);
  try {
    name = (await partFacts(part)).name;
    if (isGguf(part))
      return { ...part, name, isRight: true, finding: await verifyGguf(part.path, signal, tried), selfTest: null };
    const loaded = await (part.kind === 'clip'
      ? Clip.load({ ...place, folder: part.path, signal })
      : RewardModel.load({
          ...place,
          folder: part.path,
          signal,
          openTrunk: (trunk) => openTrunk(trunk, { probe: true, signal }),
        }));
    try {
      const results = await loaded.selfTest(signal);
      if (results.length === 0)
        return {
          ...part,
          name,
          isRight: true,
          finding: 'hashes match; its publisher wrote no self-test',
          selfTest: null,
        };
      const worst = results.reduce((one, other) => (other.difference > one.difference ? other : one));
      const { difference, tolerance } = worst;
      const finding = `hashes match, ${results.length} self-tests off by at most ${difference.toPrecision(2)} (allowed: ${tolerance})`;
      return { ...part, name, isRight: true, finding, selfTest: { count: results.length, difference, tolerance } };
    } finally {
      await loaded.dispose();
    }
  } catch (error) {
    throwIfAborted(signal);
    const finding = error instanceof Error ? error.message : String(error);
    return { ...part, name, isRight: false, finding, selfTest: null };
  }
}

async function verifyGguf(path: string, signal: AbortSignal, tried: GgufPair | undefined): Promise<string> {
  const hash = await verifyHash(path, signal);
  if (tried === undefined) return hash;
  const untried = await tryGguf(tried, signal);
  return untried === null ? `${hash}; llama.cpp loads it` : `${hash}; not loaded: ${untried}`;
}

async function verifyHash(path: string, signal: AbortSignal): Promise<string> {
  await checkRegular(path);
  const file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0).finally(() => file.close());
  if (buffer.toString('latin1') !== 'GGUF')
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `${path}: expected a GGUF, received another file. Fetch or convert it again.`,
    );
  const ofBlob = await blobHash(path);
  const expected = (await hashesOfCard(dirname(path))).get(path) ?? ofBlob;
  if (expected === undefined) return 'a GGUF; nothing says which hash it should have';
  if ((await compare(path, expected, signal)) !== 'matches')
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `${path}: expected the SHA-256 ${expected}, received another. ${ofBlob === undefined ? 'Fetch it again.' : "'eta-vlm models pull' fetches it again."}`,
    );
  return 'hash matches';
}
