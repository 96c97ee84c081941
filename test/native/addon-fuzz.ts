/** Arguments that no type allows, drawn by a seed, for every method of the addon: what it does about them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NativeBinding } from '../../src/native/binding-types.js';
import type { NativeContext } from '../../src/native/context-types.js';
import type { NativeImage } from '../../src/native/image-types.js';
import type { NativeModel } from '../../src/native/model-types.js';

/** What a getter of ours throws; it may come out as it is. */
class Ours extends Error {}

export interface FuzzOptions {
  readonly binding: NativeBinding;
  readonly load: () => Promise<NativeModel>;
  readonly seed: number;
  readonly calls: number;
}

export interface FuzzCounts {
  /** Calls that threw at once with a code, that rejected with one, and that were taken. */
  thrown: number;
  rejected: number;
  taken: number;
  /** Calls out of which came what a getter of their arguments threw. */
  getters: number;
  /** Contexts disposed of in the middle of it. */
  disposed: number;
}

type Random = (below: number) => number;

/** xorshift32. */
function random(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state % below;
  };
}

function detached<View extends ArrayBufferView>(view: View): View {
  structuredClone(view.buffer, { transfer: [view.buffer as ArrayBuffer] });
  return view;
}

/** A view whose buffer shrank under it. */
function shrunk(): Int32Array {
  type Resizable = new (
    size: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer & { resize(size: number): void };
  const buffer = new (ArrayBuffer as unknown as Resizable)(64, { maxByteLength: 64 });
  const view = new Int32Array(buffer, 16, 8);
  buffer.resize(8);
  return view;
}

interface World {
  readonly model: NativeModel;
  context: NativeContext;
  readonly image: NativeImage;
  readonly sequences: number[];
}

/** Values of every type, sound ones among them. */
function anything(draw: Random, world: World): unknown {
  const values: (() => unknown)[] = [
    () => undefined,
    () => null,
    () => true,
    () => Number.NaN,
    () => Number.POSITIVE_INFINITY,
    () => -0,
    () => -1,
    () => 0,
    () => 1,
    () => 1.5,
    () => 2 ** 31,
    () => 2 ** 32,
    () => 2 ** 53,
    () => 7n,
    () => Symbol('s'),
    () => '',
    () => '\ud800',
    () => 'word '.repeat(40),
    () => [],
    () => new Array(4_000_000_000),
    () => [1, 2, 3],
    () => () => undefined,
    () => ({}),
    () => Object.create(null),
    () => new Date(),
    () => new Map(),
    () => Promise.resolve(1),
    () => new ArrayBuffer(8),
    () => new DataView(new ArrayBuffer(8)),
    () => new Int32Array(0),
    () => Int32Array.of(1, 20, 30),
    () => Int32Array.of(-1),
    () => Int32Array.of(383, 384),
    () => new Uint8Array(30 * 20 * 3),
    () => Buffer.alloc(30 * 20 * 3, 7),
    () => new Uint8ClampedArray(12),
    () => new Float64Array(5),
    () => new BigInt64Array(5),
    () => new Int16Array(5),
    () => new Int32Array(new SharedArrayBuffer(16)),
    () => new Uint8Array(new SharedArrayBuffer(30 * 20 * 3)),
    () => detached(Int32Array.of(1, 2, 3)),
    () => detached(new Uint8Array(30 * 20 * 3)),
    shrunk,
    () => new Proxy([], {}),
    () => new Proxy({}, { get: () => anything(draw, world) }),
    () => world.context,
    () => world.model,
    () => world.image,
    () => Object.create(world.image),
    () => world.sequences[draw(world.sequences.length + 1)],
  ];
  return values[draw(values.length)]?.();
}

/** An object in which some fields are anything, and some are getters that throw, append, release or dispose. */
function spoiled(draw: Random, world: World, sound: Record<string, unknown>, mayDispose: () => boolean): unknown {
  if (draw(12) === 0) return anything(draw, world);
  const object: Record<string, unknown> = { ...sound };
  for (const key of Object.keys(sound)) {
    const kind = draw(8);
    if (kind === 0) object[key] = anything(draw, world);
    if (kind === 1) delete object[key];
    if (kind !== 2) continue;
    const value = object[key];
    Object.defineProperty(object, key, {
      get: () => {
        const deed = draw(5);
        if (deed === 0) throw new Ours('from a getter');
        if (deed === 1 && mayDispose()) ignore(world.context.dispose());
        if (deed === 2) ignore(world.context.release(world.sequences.slice(0, 1)));
        if (deed === 3 && Array.isArray(value)) value.push(anything(draw, world));
        if (deed === 4 && ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer) detached(value);
        return value;
      },
    });
  }
  return object;
}

const ignore = (work: Promise<unknown>) => void work.catch(() => undefined);

/** A list with holes, or of anything, or whose elements are getters. */
function list(draw: Random, world: World, element: () => unknown): unknown {
  const values = Array.from({ length: draw(4) }, () => (draw(3) === 0 ? anything(draw, world) : element()));
  if (values.length > 0 && draw(4) === 0) {
    Object.defineProperty(values, draw(values.length), {
      get: () => {
        if (draw(2) === 0) throw new Ours('from an element');
        values.push(element());
        return element();
      },
    });
  }
  return values;
}

/** What a call goes on with: its promise, or that of the load it began. */
function promiseOf(answer: unknown): Promise<unknown> | undefined {
  if (answer instanceof Promise) return answer;
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { model, image, tokens } = answer as Readonly<Record<string, Promise<unknown> | undefined>>;
  return model ?? image ?? tokens;
}

/** Throws a plain Error when the addon breaks its word: an error without a code, a promise that does not settle. */
export async function fuzz({ binding, load, seed, calls }: FuzzOptions): Promise<FuzzCounts> {
  const draw = random(seed);
  const model = await load();
  const made = {
    cellCount: 256,
    sequenceCount: 4,
    batchSize: 32,
    microBatchSize: 16,
    measuresThreads: false,
    threadCount: 1,
    flashAttention: 'off',
    cacheType: 'f32',
    output: 'logits',
  } as const;
  const createContext = () => model.createContext(made);
  const image = await model.encodeImage({ data: new Uint8Array(40 * 30 * 3), width: 40, height: 30 }).image;
  const world: World = { model, context: await createContext(), image, sequences: [] };
  const counts: FuzzCounts = { thrown: 0, rejected: 0, taken: 0, getters: 0, disposed: 0 };
  let isDisposed = false;
  const mayDispose = () => {
    isDisposed = draw(4) === 0;
    return isDisposed;
  };
  const any = () => anything(draw, world);
  const sequence = () => (draw(3) === 0 ? any() : (world.sequences[draw(world.sequences.length + 1)] ?? any()));
  const object = (sound: Record<string, unknown>) => spoiled(draw, world, sound, mayDispose);
  const sampler = { temperature: 1, topK: 5, topP: 0.9, minP: 0, seed: 3, wantsLogProbabilities: true };
  const entry = () => object({ sequence: sequence(), maxTokens: draw(3), pauseSet: -1 });
  const direction = new Float32Array(model.facts.embeddingSize).fill(0.5);
  const part = () => (draw(3) === 0 ? world.image : Int32Array.of(1, 20 + draw(300)));
  type Loose = Record<string, (...args: unknown[]) => unknown>;
  const context = () => world.context as unknown as Loose;
  const loose = { model: model as unknown as Loose, binding: binding as unknown as Loose };
  const methods: (() => unknown)[] = [
    () => context()['createSequence']?.(any()),
    () => context()['append']?.(sequence(), list(draw, world, part)),
    () => context()['append']?.(sequence(), any()),
    () => context()['fork']?.(sequence(), draw(3) === 0 ? any() : draw(3)),
    () => context()['setSampler']?.(sequence(), object(sampler)),
    () => context()['trim']?.(sequence(), draw(2) === 0 ? any() : draw(20)),
    () => context()['release']?.(list(draw, world, sequence)),
    () => context()['run']?.(object({ entries: list(draw, world, entry), stepBudget: 2 })),
    () =>
      context()['run']?.(
        object({ entries: world.sequences.map((id) => ({ sequence: id, maxTokens: 0, pauseSet: -1 })), stepBudget: 9 }),
      ),
    () => context()['createTokenSet']?.(draw(2) === 0 ? any() : Int32Array.of(5)),
    () => context()['logits']?.(sequence()),
    () => context()['hiddenState']?.(sequence()),
    () => context()['sequence']?.(sequence()),
    () => context()['save']?.(sequence()),
    () => context()['restore']?.(any()),
    () => context()['statistics']?.(any()),
    () => context()['interrupt']?.(any()),
    () =>
      loose.model['tokenize']?.(
        draw(3) === 0 ? any() : [object({ text: 'a </s> b', parseSpecial: true })],
        object({ isContinued: false, maxTokens: 100, sliceBytes: 64 }),
      ),
    () => loose.model['tokenBytes']?.(any(), any()),
    () => loose.model['vocabulary']?.(any()),
    () => loose.model['nearestText']?.(draw(2) === 0 ? world.image : any()),
    () => loose.model['encodeImage']?.(object({ data: new Uint8Array(30 * 20 * 3), width: 30, height: 20 })),
    () => loose.model['createContext']?.(object({ cellCount: 256 })),
    () => loose.model['createContext']?.({ ...made, output: 'hidden-state', layer: any() }),
    () => loose.model['createContext']?.({ ...made, steering: object({ layer: 1, vector: direction }) }),
    () => loose.binding['setLogLevel']?.(any()),
    () => loose.binding['loadBackend']?.(any()),
    () => loose.binding['loadModel']?.(object({ modelPath: 'none.gguf' }), any()),
    () => {
      isDisposed = draw(20) === 0;
      return isDisposed ? world.context.dispose() : undefined;
    },
  ];

  const isCoded = (error: unknown) => error instanceof Error && typeof (error as { code?: unknown }).code === 'string';
  const judge = (error: unknown, how: 'thrown' | 'rejected') => {
    if (error instanceof Ours) counts.getters++;
    else if (isCoded(error)) counts[how]++;
    else throw new Error(`Expected an error with a code, received ${String(error)}`, { cause: error });
  };
  for (let call = 0; call < calls; call++) {
    const method = methods[draw(methods.length)];
    let answer: unknown;
    try {
      answer = method?.();
      if (promiseOf(answer) === undefined) counts.taken++;
    } catch (error) {
      judge(error, 'thrown');
    }
    const promise = promiseOf(answer);
    if (promise !== undefined) {
      const outcome = await Promise.race([
        promise.then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        ),
        sleep(20_000, undefined, { ref: false }),
      ]);
      if (outcome === undefined) throw new Error(`Expected call ${call} of seed ${seed} to settle: ${method}`);
      if ('error' in outcome) judge(outcome.error, 'rejected');
      else {
        counts.taken++;
        if (typeof outcome.value === 'number') world.sequences.push(outcome.value);
        if (outcome.value instanceof Int32Array) world.sequences.push(...outcome.value);
      }
    }
    if (isDisposed) {
      isDisposed = false;
      counts.disposed++;
      await world.context.dispose();
      world.context = await createContext();
      world.sequences.length = 0;
    }
    if (world.sequences.length > 3) {
      const living = world.sequences.splice(0);
      await Promise.allSettled(living.map((id) => world.context.release([id])));
    }
  }
  binding.setLogLevel('silent');
  await model.dispose();
  return counts;
}
