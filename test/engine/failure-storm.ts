/**
 * Engine operations at random, by a seed, while decodes fail: create, prefill of text and pictures, fork, decode, trim,
 * save and restore, release, abort, the end of a context. Each client keeps a model of what its sequences hold. What a
 * failure may have changed is looked at right behind it; all logits are held against those of an undisturbed context at the
 * end, and every cell and sequence must be free again.
 */
import { fileURLToPath } from 'node:url';
import { type Context, type Lease, Model, type Sequence } from '../../src/engine/index.js';
import { EtaError } from '../../src/errors.js';
import type { NativePart } from '../../src/native/context-types.js';
import type { NativeImage } from '../../src/native/image-types.js';
import { PLACE } from '../device.js';
import type { PlantedBinding } from '../native/planted-addon.js';
import { EXACT } from './fixture.js';

export const FORMS = ['causal', 'mrope', 'noncausal'] as const;

export interface StormOptions {
  readonly planted: PlantedBinding;
  readonly form: (typeof FORMS)[number];
  readonly operations: number;
  readonly seed: number;
  /** Share of the decodes that fail. */
  readonly failureShare: number;
  /** Whether contexts are disposed of now and then; otherwise one context sees everything. */
  readonly disposes: boolean;
}

export interface StormReport {
  operations: number;
  requests: number;
  /** How often each was asked, and how it ended. */
  readonly asked: Record<string, number>;
  readonly ended: Record<string, number>;
  decodeCount: number;
  failureCount: number;
  /** Logits compared, and the largest difference. */
  logitsCompared: number;
  largestDifference: number;
  /** What went wrong; empty when all is well. */
  readonly faults: string[];
}

type Item = number | 'picture';

interface Lane {
  readonly sequence: Sequence;
  content: Item[];
  /** Whether its cells came from bytes: under windowed attention it cannot be cut before their end. */
  isRestored: boolean;
}

const CLIENTS = 4;
const LANES = 5;
const CELLS = 220;
const NEAR = 1e-3;

const pathOf = (name: string) => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));

function load(form: string): Promise<Model> {
  const stem = form === 'causal' ? 'engine/tiny' : `native/${form}`;
  const projectorPath = pathOf(`${stem}-projector.gguf`);
  return Model.load({ modelPath: pathOf(`${stem}.gguf`), projectorPath, ...PLACE, threadCount: 1 });
}

/** xorshift32: a number from 0 to below - 1. */
function random(seed: number): (below: number) => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state % below;
  };
}

class Storm {
  readonly #options: StormOptions;
  readonly #model: Model;
  readonly #image: NativeImage;
  readonly #draw: (below: number) => number;
  readonly #seen: { key: string; content: Item[]; logits: Float32Array }[] = [];
  readonly report: StormReport = {
    operations: 0,
    requests: 0,
    asked: {},
    ended: {},
    decodeCount: 0,
    failureCount: 0,
    logitsCompared: 0,
    largestDifference: 0,
    faults: [],
  };
  context: Context;

  constructor(options: StormOptions, model: Model, image: NativeImage, context: Context) {
    this.#options = options;
    this.#model = model;
    this.#image = image;
    this.#draw = random(options.seed);
    this.context = context;
  }

  static context(model: Model): Promise<Context> {
    return model.createContext({ ...EXACT, contextSize: 768, batchSize: 16, microBatchSize: 8 });
  }

  async run(): Promise<void> {
    const { planted, failureShare, seed } = this.#options;
    planted.plantFailure(failureShare > 0 ? { share: failureShare, count: 2 ** 40, seed } : undefined);
    await Promise.all(Array.from({ length: CLIENTS }, () => this.#client()));
    const { decodeCount, failureCount } = planted.planted();
    planted.plantFailure();
    Object.assign(this.report, { decodeCount, failureCount });
    const { liveSequenceCount, usedCellCount } = await this.context.statistics();
    if (liveSequenceCount !== 0 || usedCellCount !== 0) {
      this.#fault(`at the end ${liveSequenceCount} sequences live and ${usedCellCount} cells are in use`);
    }
    await (await this.context.reserve({ cellCount: 768, sequenceCount: 16 })).release();
    await this.#compareLogits();
  }

  #fault(what: string): void {
    if (this.report.faults.length < 20) this.report.faults.push(what);
  }

  #count(table: Record<string, number>, name: string): void {
    table[name] = (table[name] ?? 0) + 1;
  }

  /** One operation; its end by name. Errors that no failure explains are faults. */
  async #operation(name: string, work: () => Promise<unknown>): Promise<string> {
    this.report.operations++;
    this.#count(this.report.asked, name);
    let end = 'done';
    try {
      await work();
    } catch (error) {
      end = error instanceof EtaError ? error.code : 'raw';
      const isKnown = ['ERR_DECODE', 'ERR_CACHE_FULL', 'ERR_ABORTED', 'ERR_DISPOSED'].includes(end);
      if (!isKnown) this.#fault(`${name}: ${error instanceof Error ? error.stack : String(error)}`);
      if (end === 'ERR_DISPOSED' && !this.#options.disposes) this.#fault(`${name}: disposed, though nobody did`);
    }
    this.#count(this.report.ended, end);
    return end;
  }

  async #client(): Promise<void> {
    while (this.report.operations < this.#options.operations) {
      const context = this.context;
      let lease: Lease | undefined;
      const end = await this.#operation('reserve', async () => {
        lease = await context.reserve({ cellCount: CELLS, sequenceCount: LANES + 1 });
      });
      if (lease === undefined) {
        if (end === 'done') this.#fault('reserve gave nothing');
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      this.report.requests++;
      try {
        await this.#request(context, lease);
      } finally {
        await this.#operation('release of a lease', () => lease?.release() ?? Promise.resolve());
      }
    }
  }

  async #request(context: Context, lease: Lease): Promise<void> {
    const lanes: Lane[] = [];
    const create = async () => {
      const sequence = await lease.createSequence();
      lanes.push({ sequence, content: [], isRestored: false });
    };
    if ((await this.#operation('create', create)) !== 'done') return;
    for (let step = 0, most = 4 + this.#draw(14); step < most && context === this.context; step++) {
      const lane = lanes[this.#draw(lanes.length)];
      const held = lanes.reduce((sum, { sequence }) => sum + sequence.tokenCount, 0);
      if (lane === undefined || held > CELLS - 60) return;
      if (!(await this.#step(context, lease, lanes, lane))) return;
      for (const each of lanes) this.#checkCounts(each);
    }
  }

  /** False when the request is over. */
  async #step(context: Context, lease: Lease, lanes: Lane[], lane: Lane): Promise<boolean> {
    const kind = lane.content.length === 0 ? 0 : this.#draw(20);
    if (kind < 5) return await this.#prefill(lanes, lane, kind < 2 ? [this.#image, this.#tokens()] : [this.#tokens()]);
    if (kind < 9) return await this.#decode(lanes, lane);
    if (kind < 12 && lanes.length < LANES) {
      return this.#goesOn(
        await this.#operation('fork', async () => {
          for (const sequence of await lane.sequence.fork(1))
            lanes.push({ ...lane, sequence, content: [...lane.content] });
        }),
      );
    }
    if (kind < 14) return await this.#trim(lane, this.#cut(lane));
    if (kind < 16 && lanes.length < LANES) return await this.#saveAndRestore(lease, lanes, lane);
    if (kind < 17 && lanes.length > 1) {
      lanes.splice(lanes.indexOf(lane), 1);
      return this.#goesOn(await this.#operation('release', () => lane.sequence.release()));
    }
    if (this.#options.disposes && this.#draw(60) === 0 && context === this.context) {
      this.context = await Storm.context(this.#model);
      await this.#operation('dispose', () => context.dispose());
      return false;
    }
    return await this.#look(lane);
  }

  #goesOn(end: string): boolean {
    return end !== 'ERR_DISPOSED';
  }

  #tokens(): Int32Array {
    return Int32Array.from({ length: 1 + this.#draw(12) }, () => 20 + this.#draw(340));
  }

  /** A signal that fires soon, in one case of six. */
  #signal(): AbortSignal | undefined {
    if (this.#draw(6) !== 0) return undefined;
    const controller = new AbortController();
    if (this.#draw(2) === 0) setImmediate(() => controller.abort());
    else setTimeout(() => controller.abort(), this.#draw(4));
    return controller.signal;
  }

  async #prefill(lanes: readonly Lane[], lane: Lane, parts: readonly NativePart[]): Promise<boolean> {
    const signal = this.#signal();
    const name = parts.length > 1 ? 'prefill of a picture' : 'prefill of text';
    let end = await this.#operation(name, () => lane.sequence.prefill(parts, { signal }));
    if (end === 'ERR_DISPOSED') return false;
    for (const part of parts) lane.content.push(...(part instanceof Int32Array ? part : (['picture'] as const)));
    if (end === 'done') return true;
    // What was appended stays pending: nothing else has changed, and the next tries bring it.
    this.#checkCounts(lane);
    if (!(await this.#lookAtAnother(lanes, lane))) return false;
    for (let attempt = 0; end !== 'done'; attempt++) {
      if (attempt === 60) this.#fault('sixty prefills failed');
      end = await this.#operation('prefill again', () => lane.sequence.prefill([]));
      if (end === 'ERR_DISPOSED' || attempt === 60) return false;
    }
    return await this.#look(lane);
  }

  async #decode(lanes: readonly Lane[], lane: Lane): Promise<boolean> {
    const before = lane.sequence.tokenCount;
    const maxTokens = 1 + this.#draw(6);
    const sampler = { temperature: this.#draw(3) / 2, seed: this.#draw(1000) };
    const end = await this.#operation('decode', async () => {
      const { tokens } = await lane.sequence.decode({ sampler, maxTokens, signal: this.#signal() });
      lane.content.push(...tokens);
    });
    if (end === 'done' || end === 'ERR_DISPOSED') return this.#goesOn(end);
    // Tokens of the steps before are there, but were not told: cut back to what is known.
    const more = lane.sequence.tokenCount - before;
    if (more < 0 || more > maxTokens) this.#fault(`a decode that failed left ${more} tokens of ${maxTokens}`);
    if (!(await this.#lookAtAnother(lanes, lane))) return false;
    return await this.#trim(lane, lane.content.length);
  }

  /** An item to cut at; a picture is one item. */
  #cut(lane: Lane): number {
    return this.#draw(lane.content.length + 1);
  }

  async #trim(lane: Lane, itemCount: number): Promise<boolean> {
    let content = lane.content.slice(0, itemCount);
    const mayRefuse = lane.isRestored && this.#options.form === 'noncausal';
    const end = await this.#operation('trim', async () => {
      await lane.sequence.trim(this.#tokenCount(content)).catch((error) => {
        if (!mayRefuse || error.code !== 'ERR_FORK_UNSUPPORTED') throw error;
        content = lane.content;
      });
    });
    if (end !== 'done') return this.#goesOn(end);
    lane.content = content;
    this.#checkCounts(lane);
    // Logits are gone: what is appended next brings them back.
    return await this.#prefill([], lane, [this.#tokens()]);
  }

  async #saveAndRestore(lease: Lease, lanes: Lane[], lane: Lane): Promise<boolean> {
    let bytes: Uint8Array | undefined;
    const saved = await this.#operation('save', async () => {
      bytes = await lane.sequence.save();
    });
    if (bytes === undefined) return this.#goesOn(saved);
    const from = bytes;
    const restored = await this.#operation('restore', async () => {
      lanes.push({ sequence: await lease.restore(from), content: [...lane.content], isRestored: true });
    });
    return this.#goesOn(restored);
  }

  /** Keeps the lane's logits, to be compared. */
  async #look(lane: Lane): Promise<boolean> {
    if (lane.content.length === 0) return true;
    const end = await this.#operation('logits', async () => {
      const logits = await lane.sequence.logits();
      this.#seen.push({ key: lane.content.join(' '), content: [...lane.content], logits });
    });
    return this.#goesOn(end);
  }

  /** Behind a failure: another sequence reads one more token in a fork of its own, over all that it holds. */
  async #lookAtAnother(lanes: readonly Lane[], lane: Lane): Promise<boolean> {
    const others = lanes.filter((other) => other !== lane && other.content.length > 0);
    const other = others[this.#draw(Math.max(others.length, 1))];
    if (other === undefined) return true;
    let child: Sequence | undefined;
    const token = 20 + this.#draw(340);
    const end = await this.#operation('fork of another', async () => {
      [child] = await other.sequence.fork(1);
      await child?.append([Int32Array.of(token)]);
    });
    if (child === undefined) return this.#goesOn(end);
    const probe: Lane = { ...other, sequence: child, content: [...other.content, token] };
    const goesOn = await this.#look(probe);
    await this.#operation('release', () => probe.sequence.release());
    return goesOn;
  }

  #tokenCount(content: readonly Item[]): number {
    return content.reduce<number>((sum, item) => sum + (item === 'picture' ? this.#image.tokenCount : 1), 0);
  }

  #checkCounts({ sequence, content }: Lane): void {
    if (sequence.isReleased) return;
    const tokenCount = this.#tokenCount(content);
    const shrunk =
      content.filter((item) => item === 'picture').length * (this.#image.tokenCount - this.#image.positionCount);
    // A decode that failed may hold tokens that nobody told; it is cut back in the next operation.
    if (sequence.tokenCount !== tokenCount) this.#fault(`${sequence.tokenCount} tokens where ${tokenCount} are`);
    if (sequence.position !== tokenCount - shrunk) {
      this.#fault(`position ${sequence.position} where ${tokenCount - shrunk} is`);
    }
  }

  async #compareLogits(): Promise<void> {
    await using context = await Storm.context(this.#model);
    const expected = new Map<string, Float32Array>();
    for (const { key, content, logits } of this.#seen) {
      let reference = expected.get(key);
      if (reference === undefined) {
        await using lease = await context.reserve({ cellCount: 400, sequenceCount: 1 });
        const sequence = await lease.createSequence();
        await sequence.prefill(content.map((item) => (item === 'picture' ? this.#image : Int32Array.of(item))));
        reference = await sequence.logits();
        expected.set(key, reference);
      }
      const theirs = reference;
      const difference = logits.reduce(
        (most, value, at) => Math.max(most, Math.abs(value - (theirs[at] ?? Number.NaN))),
        0,
      );
      this.report.logitsCompared++;
      this.report.largestDifference = Math.max(this.report.largestDifference, difference);
      if (!(difference < NEAR)) this.#fault(`logits differ by ${difference} behind ${key}`);
    }
  }
}

export async function failureStorm(options: StormOptions): Promise<StormReport> {
  options.planted.plantFailure();
  const model = await load(options.form);
  try {
    const data = new Uint8Array(60 * 60 * 3).map((_, index) => (index * 7) % 256);
    const image = await model.encodeImage({ data, width: 60, height: 60 });
    const storm = new Storm(options, model, image, await Storm.context(model));
    await storm.run();
    return storm.report;
  } finally {
    options.planted.plantFailure();
    await model.dispose();
  }
}
