/** The two forms of a reward model, opened: one ONNX graph, or a trunk in llama.cpp with heads in ONNX. */
import { join } from 'node:path';
import { ModelError, UsageError } from '../errors.js';
import type { GraphManifest, RewardManifest, TrunkManifest } from '../manifest/index.js';
import { cacheNames, checkGraph, type EvaluatorWorker, openGraph, type Provider } from '../onnx/index.js';
import { TextTokenizer } from '../tokenizer/index.js';
import { RewardGraph } from './graph.js';
import type { OpenTrunk, TrunkContext, TrunkOpener } from './load-options.js';
import { RewardPairs } from './pairs.js';
import { RewardPrefixes } from './prefixes.js';
import { RewardPrompt } from './prompt.js';
import type { RewardText } from './session.js';
import { RewardTrunk } from './trunk.js';

/** Lanes of a trunk's context: kept prompts, the answers under way, and the candidates of one of them. */
const TRUNK_SEQUENCES = 32;

/** Cells beyond one conversation of full length: candidates, and what is kept of other conversations. */
const TRUNK_SPARE_CELLS = 2048;

/** Heads are a matrix or two: on the CPU they cost nothing, and the trunk alone decides how exact the score is. */
export const TRUNK_HEADS_PROVIDER: Provider = 'cpu';

export interface LoadedReward {
  readonly text: RewardText;
  /** Lets go of texts, and of what a trunk read of prompts. */
  readonly forget: () => void;
  readonly dispose: () => Promise<void>;
}

/** The context that a trunk asks for: one conversation of full length, with room beside it. */
export function trunkContext({ maxTokens, cacheType }: Pick<TrunkManifest, 'maxTokens' | 'cacheType'>): TrunkContext {
  return { contextSize: maxTokens + TRUNK_SPARE_CELLS, sequenceCount: TRUNK_SEQUENCES, cacheType };
}

interface LoadOptions<Manifest> {
  readonly worker: EvaluatorWorker;
  readonly folder: string;
  readonly manifest: Manifest;
  readonly provider: Provider;
  readonly signal: AbortSignal | undefined;
}

/** @throws ModelError ERR_MODEL_INVALID when a file is not what the manifest says */
export async function loadGraph(options: LoadOptions<GraphManifest>): Promise<LoadedReward> {
  const { worker, folder, manifest, provider, signal } = options;
  const tokenizer = await TextTokenizer.load(join(folder, manifest.files.tokenizer.path));
  const reader =
    manifest.kind === 'encoder' ? new RewardPairs(manifest, tokenizer) : new RewardPrompt(manifest, tokenizer);
  const graphPlace = { path: join(folder, manifest.files.graph.path), cache: manifest.cache, provider };
  const opened = await openGraph(worker, graphPlace, signal);
  const forget = () => tokenizer.forget();
  const dispose = () => worker.close(opened.session);
  try {
    checkGraph(opened, inputTypes(manifest), outputNames(manifest));
  } catch (error) {
    await dispose().catch(() => undefined); // the first failure is the one to tell
    throw error;
  }
  const graph = new RewardGraph(worker, opened.session, manifest);
  if (reader instanceof RewardPairs) return { text: { form: 'pair', pairs: reader, graph }, forget, dispose };
  const text: RewardText = graph.keepsCache
    ? { form: 'tree', prompt: reader, backend: graph, prefixes: new RewardPrefixes(graph, manifest) }
    : { form: 'whole', prompt: reader, graph };
  return { text, forget, dispose };
}

/** @throws UsageError ERR_INVALID_OPTION without an opener; ModelError ERR_MODEL_INVALID when the files do not fit each other */
export async function loadTrunk(
  options: Omit<LoadOptions<TrunkManifest>, 'provider'> & { readonly openTrunk: TrunkOpener | undefined },
): Promise<LoadedReward> {
  const { worker, folder, manifest, openTrunk, signal } = options;
  if (openTrunk === undefined) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `openTrunk: expected a function that opens the GGUF of ${manifest.name}, received none. Load it through loadEta, or give one.`,
    );
  }
  const tokenizer = await TextTokenizer.load(join(folder, manifest.files.tokenizer.path));
  const prompt = new RewardPrompt(manifest, tokenizer);
  const heads = await openGraph(
    worker,
    { path: join(folder, manifest.files.heads.path), cache: null, provider: TRUNK_HEADS_PROVIDER },
    signal,
  );
  let trunk: OpenTrunk | undefined;
  const dispose = async () => {
    await Promise.all([trunk?.dispose(), worker.close(heads.session)]);
  };
  try {
    checkGraph(heads, { [manifest.heads.input]: 'float32' }, scoreNames(manifest));
    trunk = await openTrunk({ path: join(folder, manifest.files.trunk.path), ...trunkContext(manifest) });
    checkTrunk(trunk, manifest, tokenizer);
    const backend = await RewardTrunk.open({ context: trunk.context, worker, session: heads.session, manifest });
    const prefixes = new RewardPrefixes(backend, manifest);
    const forget = () => {
      tokenizer.forget();
      prefixes.forget(); // a prompt may have been read behind another's beginning
    };
    return { text: { form: 'tree', prompt, backend, prefixes }, forget, dispose };
  } catch (error) {
    await dispose().catch(() => undefined); // the first failure is the one to tell
    throw error;
  }
}

function checkTrunk({ model, context }: OpenTrunk, { name, heads }: TrunkManifest, tokenizer: TextTokenizer): void {
  if (tokenizer.vocabularySize > model.facts.vocabularySize) {
    throw new ModelError(
      'ERR_MODEL_MISMATCH',
      `${name}: expected a trunk with ${tokenizer.vocabularySize} tokens, as many as its tokenizer has, received one with ${model.facts.vocabularySize}. The tokenizer is another trunk's: export them again.`,
    );
  }
  if (model.facts.embeddingSize !== heads.hiddenSize) {
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `${name}: expected a trunk with a hidden state of ${heads.hiddenSize}, received one of ${model.facts.embeddingSize}. Trunk and heads do not belong together: export them again.`,
    );
  }
  if (!context.facts.forksAnywhere) {
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `${name}: expected a trunk whose memory can be forked, received a recurrent or hybrid one (${model.facts.architecture}). Use another reward model.`,
    );
  }
}

function inputTypes({ inputs, cache }: GraphManifest): Record<string, string> {
  const types: Record<string, string> = {
    [inputs.ids]: 'int64',
    [inputs.mask.name]: inputs.mask.type === 'padding-2d' ? 'int64' : 'float32',
  };
  if (inputs.positions !== null) types[inputs.positions] = 'int64';
  if (inputs.tokenTypes !== null) types[inputs.tokenTypes] = 'int64';
  for (const { past } of cache === null ? [] : cacheNames(cache)) types[past] = cache?.dtype ?? 'float32';
  return types;
}

function outputNames(manifest: GraphManifest): string[] {
  const { cache } = manifest;
  return [...scoreNames(manifest), ...(cache === null ? [] : cacheNames(cache).map(({ present }) => present))];
}

function scoreNames({ score }: RewardManifest): string[] {
  return score.type === 'scalar' ? [score.output] : [score.rewards, score.gate];
}
