/**
 * Requests that share prompts, pictures and turns, come and leave at any moment, and leave what they read behind, in
 * contexts too small for all of it: each text must be that of a fresh context.
 */
import {
  type BorrowedImage,
  type Context,
  EncodedImages,
  type Lease,
  type Model,
  type NativePart,
  type Sequence,
} from '../../src/engine/index.js';
import { EtaError } from '../../src/errors.js';
import { decodeImage } from '../../src/image/index.js';
import { aloneText, EXACT, golden, QUESTIONS, started, tinyModel } from './fixture.js';

const LENGTH = 12;
const PICTURES = ['square.png', 'wide.png', 'tall.png'];
const CLIENT_COUNT = 6;
/** The model's own noise, of sums over other cells, is under 1e-5: a smaller margin between two tokens is a tie. */
const TIE = 1e-4;
const GREEDY = { temperature: 0 };

export interface StormOptions {
  readonly requestCount: number;
  readonly seed: number;
  /** Whether requests come in bursts that begin at the same moment, or within some milliseconds, about much the same. */
  readonly inBursts?: boolean;
}

export interface StormCounts {
  finished: number;
  aborted: number;
  /** Of a context that was disposed of under its requests. */
  disposed: number;
  /** Requests that began somewhere else than at the beginning. */
  reused: number;
  cachedTokens: number;
  promptTokens: number;
  /** Texts that part at a tie. */
  ties: number;
  faults: string[];
}

interface Prompt {
  readonly picture: string | null;
  readonly words: readonly string[];
}

const countOf = (parts: readonly NativePart[]) =>
  parts.reduce((sum, part) => sum + (part instanceof Int32Array ? part.length : part.tokenCount), 0);

/** @throws nothing: what is wrong stands in `faults` */
export async function prefixStorm({ requestCount, seed, inBursts = false }: StormOptions): Promise<StormCounts> {
  await using model = await tinyModel();
  const storm = new PrefixStorm(model, seed, inBursts);
  return await storm.run(requestCount);
}

class PrefixStorm {
  readonly #model: Model;
  /** Room for one idle picture: others are encoded again, and are then others to the cache. */
  readonly #images: EncodedImages;
  readonly #expected = new Map<string, Promise<string>>();
  readonly #counts: StormCounts = {
    finished: 0,
    aborted: 0,
    disposed: 0,
    reused: 0,
    cachedTokens: 0,
    promptTokens: 0,
    ties: 0,
    faults: [],
  };
  readonly #inBursts: boolean;
  #state: number;
  #context: Context | undefined;

  constructor(model: Model, seed: number, inBursts: boolean) {
    this.#model = model;
    this.#inBursts = inBursts;
    this.#images = new EncodedImages(model, 20_000);
    this.#state = seed;
  }

  async run(requestCount: number): Promise<StormCounts> {
    for (let begun = 0; begun < requestCount; ) begun += await this.#life(Math.min(requestCount - begun, 200));
    this.#images.dispose();
    return this.#counts;
  }

  /** One context, from its making to its end: in peace, or under its requests. @returns requests that began */
  async #life(requestCount: number): Promise<number> {
    const contextSize = 256 * ((this.#inBursts ? 2 : 1) + this.#below(this.#inBursts ? 4 : 3));
    this.#context = await this.#model.createContext({
      ...EXACT,
      contextSize,
      sequenceCount: 4 + this.#below(12),
      batchSize: 32,
      microBatchSize: 32,
    });
    let begun = 0;
    let isOver = false;
    const client = async () => {
      for (; begun < requestCount && !isOver; ) {
        begun++;
        await this.#request(this.#context as Context, this.#prompt());
      }
    };
    const bursts = async () => {
      for (; begun < requestCount && !isOver; begun += CLIENT_COUNT) await this.#burst(this.#context as Context);
    };
    const clients = this.#inBursts ? bursts() : Promise.all(Array.from({ length: CLIENT_COUNT }, client));
    if (this.#below(4) === 0) {
      await new Promise((resolve) => setTimeout(resolve, this.#below(300)));
      isOver = true;
      await this.#context.dispose();
      await clients;
      return begun;
    }
    await clients;
    this.#context.forget();
    const { usedCellCount, liveSequenceCount } = await this.#context.statistics();
    if (usedCellCount + liveSequenceCount > 0)
      this.#counts.faults.push(`${usedCellCount} cells and ${liveSequenceCount} sequences stayed`);
    await this.#context.dispose();
    return begun;
  }

  /** Nothing is there, half of the time; half of them ask the same, the others go on from it, or ask something else. */
  async #burst(context: Context): Promise<void> {
    if (this.#below(2) === 0) context.forget();
    const shared = this.#prompt();
    const burst = Array.from({ length: CLIENT_COUNT }, async () => {
      const other = this.#prompt();
      const going = { ...shared, words: [...shared.words, ...other.words.slice(1)] };
      const prompt = [shared, shared, going, other][this.#below(4)] ?? shared;
      const lateMs = this.#below(2) === 0 ? this.#below(6) : 0;
      if (lateMs > 0) await new Promise((resolve) => setTimeout(resolve, lateMs));
      await this.#request(context, prompt);
    });
    await Promise.all(burst);
  }

  async #request(context: Context, prompt: Prompt): Promise<void> {
    const controller = new AbortController();
    const timer = this.#below(4) === 0 ? setTimeout(() => controller.abort(), this.#below(40)) : undefined;
    if (this.#below(40) === 0) context.forget();
    let lease: Lease | undefined;
    let borrowed: BorrowedImage | null = null;
    try {
      borrowed = await this.#picture(prompt, controller.signal);
      const parts = await this.#written(prompt, borrowed === null ? [] : [borrowed.image]);
      const demand = { cellCount: countOf(parts) + 4 * LENGTH, sequenceCount: 3 };
      const begun = await context.begin(parts, demand, { signal: controller.signal });
      lease = begun.lease;
      this.#counts.promptTokens += countOf(parts);
      this.#counts.cachedTokens += begun.cachedTokenCount;
      if (begun.cachedTokenCount > 0) this.#counts.reused++;
      await this.#answer(begun.sequence, begun.rest, prompt, controller.signal);
      this.#counts.finished++;
    } catch (error) {
      if (!(error instanceof EtaError)) throw error;
      if (error.code === 'ERR_ABORTED') this.#counts.aborted++;
      else if (error.code === 'ERR_DISPOSED') this.#counts.disposed++;
      else this.#counts.faults.push(`${nameOf(prompt)}: ${error.code} ${error.message}`);
    } finally {
      clearTimeout(timer);
      await lease?.release();
      borrowed?.release();
    }
  }

  /** As a request does: the question is kept, its answer too, and a branch is drawn beside it. */
  async #answer(root: Sequence, rest: readonly NativePart[], prompt: Prompt, signal: AbortSignal): Promise<void> {
    if (rest.length > 0) await root.prefill(rest, { signal });
    const keeps = this.#below(5) > 0;
    const kept = keeps ? [root.keep()] : [];
    const [own, drawn] = (await root.fork(2)) as [Sequence, Sequence];
    if (this.#below(2) === 0) await root.release();
    const beside = drawn.decode({ sampler: { temperature: 1.5, seed: 1 }, maxTokens: LENGTH, signal });
    const [said] = await Promise.all([own.decode({ sampler: GREEDY, maxTokens: LENGTH, signal }), beside]);
    if (keeps) kept.push(own.keep());
    if (this.#below(2) === 0) await own.release();
    await Promise.all(kept);
    await this.#compare(prompt, said.text);
  }

  async #compare(prompt: Prompt, text: string): Promise<void> {
    const name = nameOf(prompt);
    const expected = await this.#expectedText(prompt);
    if (text === expected) return;
    if (await this.#isTie(prompt, text, expected)) this.#counts.ties++;
    else this.#counts.faults.push(`${name}: expected ${JSON.stringify(expected)}, received ${JSON.stringify(text)}`);
  }

  #expectedText(prompt: Prompt): Promise<string> {
    const name = nameOf(prompt);
    const known = this.#expected.get(name);
    if (known !== undefined) return known;
    const computed = this.#fresh(prompt, (parts) => aloneText(this.#model, parts, LENGTH));
    this.#expected.set(name, computed);
    return computed;
  }

  /** Whether the two best tokens are as good as equal where the texts part. */
  async #isTie(prompt: Prompt, text: string, expected: string): Promise<boolean> {
    return await this.#fresh(prompt, async (parts) => {
      await using context = await this.#model.createContext(EXACT);
      const { sequence } = await started(context, parts, { cellCount: 900, sequenceCount: 1 });
      let said = '';
      for (let at = 0; at < LENGTH && text.startsWith(said) && expected.startsWith(said); at++) {
        const [best = 0, next = 0] = [...(await sequence.logits())].sort((a, b) => b - a);
        if (best - next < TIE) return true;
        said += (await sequence.decode({ sampler: GREEDY, maxTokens: 1 })).text;
      }
      return false;
    });
  }

  /** With pictures of its own. */
  async #fresh<Value>(prompt: Prompt, work: (parts: readonly NativePart[]) => Promise<Value>): Promise<Value> {
    const image =
      prompt.picture === null ? null : await this.#model.encodeImage(await decodeImage(golden(prompt.picture)));
    try {
      return await work(await this.#written(prompt, image === null ? [] : [image]));
    } finally {
      image?.dispose();
    }
  }

  async #picture({ picture }: Prompt, signal: AbortSignal): Promise<BorrowedImage | null> {
    return picture === null ? null : await this.#images.borrow(await decodeImage(golden(picture)), { signal });
  }

  async #written({ words }: Prompt, images: readonly NativePart[]): Promise<NativePart[]> {
    const texts: NativePart[] = [];
    for (const word of words) texts.push(await this.#model.tokenize(`${word} `));
    const [first = new Int32Array(0), ...others] = texts;
    return [first, ...images, ...others];
  }

  /** A conversation: the same few beginnings, and a few ways to go on. */
  #prompt(): Prompt {
    const picture = this.#below(3) === 0 ? null : (PICTURES[this.#below(PICTURES.length)] ?? null);
    const words = ['A system text that every conversation begins with.'];
    for (let turn = 0; turn <= this.#below(3); turn++) words.push(QUESTIONS[this.#below(4)] ?? '');
    return { picture, words };
  }

  #below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((this.#state / 0x80000000) * limit);
  }
}

function nameOf({ picture, words }: Prompt): string {
  return `${picture ?? 'no picture'}: ${words.join(' ')}`;
}
