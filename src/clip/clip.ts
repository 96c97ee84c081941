/** CLIP: pictures and texts as unit vectors of one space. Vision and text are graphs of their own. */
import { join } from 'node:path';
import { ModelError, throwIfAborted, UsageError } from '../errors.js';
import { KnownPicture, type Picture } from '../known-picture.js';
import {
  type ClipManifest,
  checkSelfTest,
  readClip,
  type SelfTestResult,
  selfTestResult,
  testPicture,
  verifyFiles,
} from '../manifest/index.js';
import {
  checkGraph,
  type EvaluatorLoadOptions,
  type EvaluatorWorker,
  evaluatorLoadSchema,
  type Feed,
  misfitOf,
  type OpenGraph,
  type OutputTensor,
  openGraph,
  type Provider,
  runtimeFacts,
} from '../onnx/index.js';
import { parseOptions } from '../options.js';
import { TextTokenizer } from '../tokenizer/index.js';
import { trialOf } from '../verified/index.js';
import { cosine, unit } from './cosine.js';
import { KeptVectors } from './kept-vectors.js';

/** Elsewhere than on the CPU only numbers of its own tell whether a model is computed rightly. @throws ModelError ERR_SELF_TEST */
function checkProvider({ name, selfTest }: ClipManifest, provider: Provider): void {
  if (provider === 'cpu' || selfTest.length > 0) return;
  throw new ModelError(
    'ERR_SELF_TEST',
    `${name}: expected a self-test to run it on ${provider}, received a model as others publish it, which has none. Load it with evaluatorDevice: 'cpu'.`,
  );
}

/** Graphs and tokenizer; the thread opens one graph after the other, and the tokenizer is read meanwhile. */
async function openParts(
  worker: EvaluatorWorker,
  root: string,
  { files }: ClipManifest,
  { provider, signal }: { readonly provider: Provider; readonly signal: AbortSignal | undefined },
): Promise<{ readonly vision: OpenGraph; readonly text: OpenGraph; readonly tokenizer: TextTokenizer }> {
  const reading = TextTokenizer.load(join(root, files.tokenizer.path));
  reading.catch(() => undefined); // it is told when its turn comes
  const opened: OpenGraph[] = [];
  const open = async ({ path }: { readonly path: string }) => {
    const graph = await openGraph(worker, { path: join(root, path), cache: null, provider }, signal);
    opened.push(graph);
    return graph;
  };
  try {
    return { vision: await open(files.vision), text: await open(files.text), tokenizer: await reading };
  } catch (error) {
    for (const { session } of opened) await worker.close(session).catch(() => undefined); // the first failure is the one to tell
    throw error;
  }
}

/** Text embeddings kept: the safety prompt is asked for by every request. */
const KEPT_TEXTS = 64;
/** Characters of a text whose embedding is kept: no tower reads as many. */
const LONGEST_KEPT = 8192;

/** Pictures whose embeddings are kept: some 3 kB each. */
const KEPT_PICTURES = 1024;

/** What `embedImage` and `embedText` take beside picture or text. */
export interface EmbedOptions {
  /** Ends it at once with an AbortError. */
  signal?: AbortSignal | undefined;
  /** Whether the embedding of the same pixels or text may be kept, and taken. @default true */
  reuse?: boolean | undefined;
}

export class Clip {
  readonly manifest: ClipManifest;
  /** Where its graphs run. */
  readonly provider: Provider;
  readonly #worker: EvaluatorWorker;
  readonly #vision: number;
  readonly #text: number;
  readonly #tokenizer: TextTokenizer;
  readonly #texts = new KeptVectors(KEPT_TEXTS);
  readonly #pictures = new KeptVectors(KEPT_PICTURES);
  #disposed = false;

  /**
   * @throws ModelError ERR_MODEL_NOT_FOUND or ERR_MODEL_INVALID for what is in the folder, ERR_SELF_TEST when the model
   * does not reproduce the numbers in its manifest
   */
  static async load(options: EvaluatorLoadOptions): Promise<Clip> {
    const { worker, folder, provider, verifyHashes, signal } = parseOptions(
      evaluatorLoadSchema,
      options,
      'Clip.load options',
    );
    const { root, manifest } = await readClip(folder, verifyHashes);
    checkProvider(manifest, provider);
    await verifyFiles(root, Object.values(manifest.files), verifyHashes, signal);
    const { vision, text, tokenizer } = await openParts(worker, root, manifest, { provider, signal });
    const clip = new Clip(worker, { manifest, provider }, { vision: vision.session, text: text.session }, tokenizer);
    try {
      checkGraph(vision, { [manifest.vision.input]: 'float32' }, [manifest.vision.output]);
      const inputs = {
        [manifest.text.idsInput]: 'int64',
        ...(manifest.text.maskInput === null ? {} : { [manifest.text.maskInput]: 'int64' }),
      };
      checkGraph(text, inputs, [manifest.text.output]);
      const facts = provider === 'cpu' ? await runtimeFacts(worker.threadCount) : null;
      const trial = await trialOf(facts && [manifest, facts], verifyHashes);
      if (!trial.isPassed) await clip.#check(signal);
      trial.keep();
    } catch (error) {
      await clip.dispose().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
    return clip;
  }

  private constructor(
    worker: EvaluatorWorker,
    { manifest, provider }: Pick<Clip, 'manifest' | 'provider'>,
    sessions: { readonly vision: number; readonly text: number },
    tokenizer: TextTokenizer,
  ) {
    this.#worker = worker;
    this.manifest = manifest;
    this.provider = provider;
    this.#vision = sessions.vision;
    this.#text = sessions.text;
    this.#tokenizer = tokenizer;
  }

  /**
   * Unit-length embedding, shape [dim]. The picture is resized and normalised in the evaluator thread; see
   * `sharePicture` for when its pixels are read. A picture that was embedded lately is not computed again, nor is one that
   * somebody else has asked for just now.
   */
  async embedImage(image: Picture, { signal, reuse = true }: EmbedOptions = {}): Promise<Float32Array> {
    this.#checkOpen();
    const picture = await KnownPicture.of(image, signal);
    const key = reuse ? await picture.key() : null;
    throwIfAborted(signal);
    if (key === null) return await this.#lookAt(picture, signal);
    return await this.#pictures.of(key, (heard) => this.#lookAt(picture, heard), signal);
  }

  /** Unit-length embedding, shape [dim]. The text is cut to `maxTokens` with its end token kept. Kept and shared as pictures are. */
  async embedText(text: string, { signal, reuse = true }: EmbedOptions = {}): Promise<Float32Array> {
    this.#checkOpen();
    throwIfAborted(signal);
    if (!reuse || text.length > LONGEST_KEPT) return await this.#read(text, signal);
    return await this.#texts.of(text, (heard) => this.#read(text, heard), signal);
  }

  async #lookAt(picture: KnownPicture, signal: AbortSignal | undefined): Promise<Float32Array> {
    const { input, output, ...shape } = this.manifest.vision;
    const feeds: Record<string, Feed> = { [input]: { type: 'image', image: await picture.pixels(), shape } };
    const { outputs } = await this.#worker.run({ session: this.#vision, feeds, outputs: [output] }, signal);
    return unit(this.#embeddingOf(output, outputs[output]));
  }

  /** @throws ModelError ERR_MODEL_MISMATCH for tokens, or a length, that the graph has no rows for */
  async #read(text: string, signal: AbortSignal | undefined): Promise<Float32Array> {
    const { idsInput, maskInput, output } = this.manifest.text;
    const { ids, mask } = await this.#tokens(text, signal);
    const dims = [1, ids.length];
    const feeds: Record<string, Feed> = {
      [idsInput]: { type: 'int64', data: BigInt64Array.from(ids, BigInt).buffer, dims },
    };
    if (maskInput !== null) feeds[maskInput] = { type: 'int64', data: BigInt64Array.from(mask, BigInt).buffer, dims };
    const running = this.#worker.run({ session: this.#text, feeds, outputs: [output] }, signal);
    const { outputs } = await running.catch((error: unknown) => {
      throw misfitOf(error, { name: this.manifest.name, ids, pastLength: 0 });
    });
    return unit(this.#embeddingOf(output, outputs[output]));
  }

  /** @throws ModelError ERR_SELF_TEST */
  async #check(signal?: AbortSignal): Promise<void> {
    checkSelfTest(this.manifest.name, 'cosine', await this.selfTest(signal), this.provider);
    if (this.manifest.selfTest.length === 0) await this.#checkPair(signal);
  }

  /** Computes the cosines of the manifest's self-test again. */
  async selfTest(signal?: AbortSignal): Promise<SelfTestResult[]> {
    const results: SelfTestResult[] = [];
    for (const test of this.manifest.selfTest) {
      const isPicture = 'picture' in test;
      const heard = signal === undefined ? {} : { signal };
      const other = isPicture
        ? await this.embedImage(testPicture(test.picture), { ...heard, reuse: false })
        : await this.embedText(test.otherText, heard);
      const received = cosine(await this.embedText(test.text, heard), other);
      results.push(
        selfTestResult(isPicture ? 'a text and a picture' : 'two texts', test.cosine, received, test.tolerance),
      );
    }
    return results;
  }

  /** Token ids of a text as the graph gets them, padding included. U+FEFF is dropped: tokenizers disagree about it. */
  async tokenIds(text: string): Promise<number[]> {
    return (await this.#tokens(text)).ids;
  }

  /** Lets go of the embeddings that it kept, and of texts. */
  forget(): void {
    this.#tokenizer.forget();
    this.#texts.clear();
    this.#pictures.clear();
  }

  /** Releases both graphs. Idempotent. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await Promise.all([this.#worker.close(this.#vision), this.#worker.close(this.#text)]);
  }

  async #tokens(text: string, signal?: AbortSignal): Promise<{ ids: number[]; mask: number[] }> {
    const { maxTokens, padTo, padTokenId, endTokenId, isLowerCase, appendsEnd } = this.manifest.text;
    const written = text.replaceAll('\uFEFF', '');
    const plain = this.#tokenizer.disarm(isLowerCase ? written.toLowerCase() : written);
    let ids = await this.#tokenizer.encode(plain, { signal, limit: maxTokens });
    if (appendsEnd && ids.at(-1) !== endTokenId) ids = [...ids, endTokenId];
    if (ids.length > maxTokens) ids = [...ids.slice(0, maxTokens - 1), endTokenId];
    const padding = Math.max(0, (padTo ?? 0) - ids.length);
    return {
      ids: [...ids, ...Array<number>(padding).fill(padTokenId)],
      mask: [...ids.map(() => 1), ...Array<number>(padding).fill(0)],
    };
  }

  /**
   * Where nobody wrote down what it computes: whether texts and pictures come to vectors of one length, and two texts to
   * different ones.
   *
   * @throws ModelError ERR_SELF_TEST
   */
  async #checkPair(signal?: AbortSignal): Promise<void> {
    const heard = signal === undefined ? {} : { signal };
    const picture = await this.embedImage(testPicture({ width: 97, height: 61 }), heard);
    const text = await this.embedText('A photo of a red apple.', heard);
    const likeness = cosine(text, await this.embedText('Three cats beside a tree.', heard));
    if (picture.length === text.length && likeness < 0.9999) return;
    throw new ModelError(
      'ERR_SELF_TEST',
      `${this.manifest.name}: expected texts and pictures as vectors of one length that differ from text to text, received ${text.length} numbers of a text, ${picture.length} of a picture, and a cosine of ${likeness.toFixed(4)} between two texts. The graphs do not belong together, or their tokenizer is another: fetch them again.`,
    );
  }

  /** @throws ModelError ERR_MODEL_INVALID for a vector a token or a patch, which is no embedding of the whole */
  #embeddingOf(name: string, output: OutputTensor | undefined): Float32Array {
    const { data = new Float32Array(0), dims = [] } = output ?? {};
    if (data.length > 0 && data.length === dims.at(-1)) return data;
    throw new ModelError(
      'ERR_MODEL_INVALID',
      `${this.manifest.name}: expected the output '${name}' as one embedding, [1, size], received [${dims.join(', ')}]. Name the output that is pooled and projected, or export the model again.`,
    );
  }

  #checkOpen(): void {
    if (this.#disposed)
      throw new UsageError('ERR_DISPOSED', `The CLIP model ${this.manifest.name} was disposed; load it again.`);
  }
}
