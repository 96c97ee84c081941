/**
 * The evaluator thread: every ONNX session of the process side lives here, because `create` and `run` of onnxruntime-node
 * block the thread they are called on for their whole length. The only file that imports onnxruntime-node.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import { EvaluatorError } from '../errors.js';
import { weigh } from '../shared-weight.js';
import { type CacheLayout, cacheNames } from './cache-layout.js';
import { imageTensor } from './image-tensor.js';
import { Presence } from './presence.js';
import { makeProbe, PROBE_TOLERANCE, probeDifference } from './probe-graph.js';
import type { Provider } from './provider.js';
import { absence, refusalOf } from './provider-refusal.js';
import { expectThreads, lackOfThreads } from './thread-supply.js';
import type {
  Feed,
  OutputTensor,
  Reply,
  RunMessage,
  WorkerMessage,
  WorkerReply,
  WorkerStart,
} from './worker-messages.js';

interface KeptCache {
  readonly length: number;
  /** By the name of the graph's input. */
  readonly tensors: Readonly<Record<string, Tensor>>;
}

interface OpenSession {
  readonly session: InferenceSession;
  readonly provider: Provider;
  readonly layout: CacheLayout | null;
  readonly caches: Map<number, KeptCache>;
}

const port = parentPort;
const start = workerData as WorkerStart;
const presence = new Presence(start.state);
const sessions = new Map<number, OpenSession>();

port?.on('message', (message: WorkerMessage) => {
  if (message.kind === 'drop') {
    sessions.get(message.session)?.caches.delete(message.cache);
  } else if (message.kind === 'stop') {
    void stop();
  } else {
    void answer(message);
  }
});
port?.on('messageerror', () => reply({ kind: 'failed', message: 'the message cannot be read' }));
reply({ kind: 'ready' });

async function answer(message: Exclude<WorkerMessage, { kind: 'drop' | 'stop' }>): Promise<void> {
  const provider = providerOf(message);
  let outcome: WorkerReply;
  let moved: ArrayBuffer[] = [];
  try {
    if (!presence.enter(provider)) return;
    try {
      const value = await answerOf(message);
      if (value !== null && 'runMs' in value) {
        moved = Object.values(value.outputs).map((output) => output.data.buffer as ArrayBuffer);
      }
      outcome = { kind: 'done', value };
    } finally {
      presence.leave(provider);
    }
  } catch (error) {
    outcome =
      provider === 'cpu'
        ? failure(error)
        : { kind: 'failed', message: `on ${provider}: ${refusalOf(error, provider)}` };
  }
  try {
    reply(outcome, moved);
  } catch (error) {
    reply(failure(error)); // what cannot be moved
  }
}

async function answerOf(message: Parameters<typeof answer>[0]): Promise<Reply> {
  if (message.kind === 'open') return await open(message);
  if (message.kind === 'probe') return { refusal: await probe(message.provider) };
  if (message.kind === 'run') return await run(message);
  await close(message.session);
  return null;
}

/** Where a message will be in onnxruntime. */
function providerOf(message: Parameters<typeof answer>[0]): Provider {
  if (message.kind === 'open' || message.kind === 'probe') return message.provider;
  return sessions.get(message.session)?.provider ?? 'cpu';
}

function failure(error: unknown): WorkerReply {
  const lack = lackOfThreads(error);
  if (lack !== undefined) return { kind: 'failed', message: lack, lacksThreads: true };
  return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
}

function sessionOptions(provider: Provider): InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    intraOpNumThreads: start.threadCount,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Shapes vary from run to run, so a remembered memory plan would not fit.
    enableMemPattern: false,
    logSeverityLevel: 4, // what fails is thrown, and said in words of ours
    // Spinning threads would halve the speed of llama.cpp's, which run in the same process.
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  };
}

/** Every session has its own. */
async function createSession(model: string | Uint8Array, provider: Provider): Promise<InferenceSession> {
  expectThreads(start.threadCount - 1); // one computes on this thread
  return await InferenceSession.create(model as string, sessionOptions(provider));
}

async function open({ session: id, path, cache: layout, provider }: Extract<WorkerMessage, { kind: 'open' }>) {
  const session = await createSession(path, provider);
  sessions.set(id, { session, provider, layout, caches: new Map() });
  const facts = (values: InferenceSession['inputMetadata']) =>
    values.map((value) => ({ name: value.name, type: value.isTensor ? value.type : 'not a tensor' }));
  return { inputs: facts(session.inputMetadata), outputs: facts(session.outputMetadata) };
}

/** Why a provider cannot be used here; null when it computed a small graph rightly. */
async function probe(provider: Provider): Promise<string | null> {
  const missing = absence(provider, listSupportedBackends());
  if (missing !== null) return missing;
  const { graph, feeds, expected } = makeProbe();
  const tensor = ({ data, dims }: (typeof feeds)['a']) => new Tensor('float32', data, dims);
  let session: InferenceSession | undefined;
  try {
    session = await createSession(graph, provider);
    const { data } = resultOf(await session.run({ a: tensor(feeds.a), b: tensor(feeds.b) }), 'y');
    const difference = probeDifference(data as Float32Array, { expected });
    return difference <= PROBE_TOLERANCE ? null : `it computes wrongly: off by ${difference.toPrecision(2)} of 1.`;
  } catch (error) {
    return refusalOf(error, provider);
  } finally {
    await session?.release();
  }
}

async function close(id: number): Promise<void> {
  const found = sessions.get(id);
  sessions.delete(id);
  await found?.session.release();
}

async function stop(): Promise<void> {
  const provider = [...sessions.values()].find((open) => open.provider !== 'cpu')?.provider ?? 'cpu';
  if (!presence.enter(provider)) return;
  try {
    for (const id of [...sessions.keys()]) await close(id);
  } finally {
    presence.leave(provider);
    port?.close();
  }
}

async function run(message: RunMessage) {
  const found = sessions.get(message.session);
  if (found === undefined) throw new EvaluatorError('ERR_EVALUATOR', `session ${message.session} is not open`);
  const feeds: Record<string, Tensor> = {};
  for (const [name, feed] of Object.entries(message.feeds)) feeds[name] = tensorOf(feed);
  const fetches: string[] = [...message.outputs];
  const names = found.layout === null ? [] : cacheNames(found.layout);
  if (found.layout !== null) {
    const { cache, length } = message.past ?? { cache: null, length: 0 };
    Object.assign(feeds, pastTensors(found, found.layout, cache, length));
    if (message.keep !== undefined) fetches.push(...names.map((name) => name.present));
  }
  const startedAt = performance.now();
  const results = await found.session.run(feeds, fetches);
  const runMs = performance.now() - startedAt;
  if (found.layout !== null && message.keep !== undefined) {
    const tensors: Record<string, Tensor> = {};
    for (const { past, present } of names) {
      tensors[past] = firstPositions(resultOf(results, present), message.keep.length);
    }
    found.caches.set(message.keep.cache, { length: message.keep.length, tensors });
  }
  const outputs: Record<string, OutputTensor> = {};
  for (const name of message.outputs) {
    const { data, dims } = resultOf(results, name);
    if (!(data instanceof Float32Array))
      throw new EvaluatorError('ERR_EVALUATOR', `output '${name}': expected float32 but received another type`);
    // A tensor may be a window on a larger buffer, which could not be moved alone.
    outputs[name] = { data: data.byteLength === data.buffer.byteLength ? data : data.slice(), dims };
  }
  return { outputs, runMs };
}

function resultOf(results: InferenceSession.OnnxValueMapType, name: string): Tensor {
  const result = results[name];
  if (result instanceof Tensor) return result;
  throw new EvaluatorError('ERR_EVALUATOR', `the graph returned no tensor '${name}'`);
}

function tensorOf(feed: Feed): Tensor {
  if (feed.type === 'image') {
    const { imageSize } = feed.shape;
    weigh(feed.image.data);
    return new Tensor('float32', imageTensor(feed.image, feed.shape), [1, 3, imageSize, imageSize]);
  }
  if (feed.type === 'int64') return new Tensor('int64', new BigInt64Array(feed.data), [...feed.dims]);
  return new Tensor('float32', new Float32Array(feed.data), [...feed.dims]);
}

function pastTensors(
  found: OpenSession,
  layout: CacheLayout,
  id: number | null,
  length: number,
): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  const kept = id === null ? undefined : found.caches.get(id);
  if (id !== null && kept === undefined) throw new EvaluatorError('ERR_EVALUATOR', `cache ${id} is not kept`);
  if (kept !== undefined && kept.length < length)
    throw new EvaluatorError('ERR_EVALUATOR', `cache ${id} has ${kept.length} positions, not ${length}`);
  for (const { past } of cacheNames(layout)) {
    const tensor = kept?.tensors[past];
    tensors[past] = tensor === undefined ? emptyTensor(layout) : firstPositions(tensor, length);
  }
  return tensors;
}

function emptyTensor({ dtype, heads, headSize }: CacheLayout): Tensor {
  const dims = [1, heads, 0, headSize];
  return dtype === 'float16'
    ? new Tensor('float16', new Uint16Array(0), dims)
    : new Tensor('float32', new Float32Array(0), dims);
}

/** The first `length` positions of a cache tensor [1, heads, positions, headSize]; the tensor itself where that is all. */
function firstPositions(tensor: Tensor, length: number): Tensor {
  const [batch = 1, heads = 0, positions = 0, headSize = 0] = tensor.dims;
  if (length === positions) return tensor;
  const dims = [batch, heads, length, headSize];
  const { data } = tensor;
  if (data instanceof Float32Array)
    return new Tensor('float32', firstRows(data, new Float32Array(heads * length * headSize), heads), dims);
  if (tensor.type === 'float16' && ArrayBuffer.isView(data)) {
    // onnxruntime gives a Uint16Array, or where Node has it, as 24 does, a Float16Array: the same bits.
    const bits = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
    return new Tensor('float16', firstRows(bits, new Uint16Array(heads * length * headSize), heads), dims);
  }
  throw new EvaluatorError('ERR_EVALUATOR', `a cache of ${tensor.type} cannot be cut: expected float32 or float16`);
}

function firstRows<Data extends Float32Array | Uint16Array>(from: Data, to: Data, heads: number): Data {
  const source = from.length / heads;
  const target = to.length / heads;
  for (let head = 0; head < heads; head++) to.set(from.subarray(head * source, head * source + target), head * target);
  return to;
}

function reply(message: WorkerReply, moved: ArrayBuffer[] = []): void {
  port?.postMessage(message, moved);
}
