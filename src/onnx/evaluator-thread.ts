/** The beginning of the evaluator thread, and the end of a process that it is in. */
import { isMainThread, Worker } from 'node:worker_threads';
import { expectAddressSpace } from '../address-space.js';
import { EngineError } from '../errors.js';
import { loadBinding } from '../native/binding.js';
import { lackOfThreads } from './thread-supply.js';
import { BUSY, STOPPING, type WorkerStart } from './worker-messages.js';

/** How long an exiting process waits for a thread inside onnxruntime, in milliseconds. */
const EXIT_PATIENCE_MS = 60_000;
/** And where nobody waits for what the thread does there. */
const ABANDONED_PATIENCE_MS = 2_000;

/** What a thread of Node's, onnxruntime and a small graph reserve. With less V8 ends the process. */
const ADDRESS_BYTES = 2 ** 30;

/** @throws EngineError ERR_THREADS where the system gives none; ModelError ERR_MEMORY for too small a limit on addresses */
export function spawn(start: WorkerStart): Worker {
  expectAddressSpace(ADDRESS_BYTES, 'the evaluators');
  try {
    return begin(start);
  } catch (cause) {
    const lack = lackOfThreads(cause);
    if (lack === undefined) throw cause;
    throw new EngineError('ERR_THREADS', lack, { cause });
  }
}

/** From dist the entry is JavaScript; from src it is TypeScript, which tsx has to be told of in each thread. */
function begin(workerData: WorkerStart): Worker {
  if (!import.meta.url.endsWith('.ts')) {
    // Without execArgv: a host's --input-type or --import is not meant for this thread.
    return new Worker(new URL('./worker-thread.js', import.meta.url), {
      workerData,
      execArgv: [],
      name: 'eta-vlm evaluators',
    });
  }
  const entry = JSON.stringify(new URL('./worker-thread.ts', import.meta.url).href);
  const code = `import('tsx/esm/api').then(({ register }) => { register(); return import(${entry}); })`;
  return new Worker(code, { eval: true, workerData, execArgv: [], name: 'eta-vlm evaluators' });
}

/**
 * On the way out of the process, where nothing asynchronous runs any more: waits until the thread is outside onnxruntime,
 * which aborts a process that ends inside it. Node itself would then wait for ever for a thread that does not come out, so
 * the process ends without it.
 *
 * @param isAbandoned whether nobody waits for what the thread does there
 * @param code of the exit
 */
export function awaitOutside(state: Int32Array, isAbandoned: boolean, code: number): void {
  Atomics.store(state, STOPPING, 1);
  const patienceMs = isAbandoned ? ABANDONED_PATIENCE_MS : EXIT_PATIENCE_MS;
  while (Atomics.load(state, BUSY) === 1) {
    if (Atomics.wait(state, BUSY, 1, patienceMs) !== 'timed-out') continue;
    if (isMainThread) endProcess(code); // of a worker thread it is not the process that ends
    return;
  }
}

function endProcess(code: number): void {
  try {
    loadBinding().endProcess(code & 0xff); // as the system cuts it
  } catch {
    process.kill(process.pid, 'SIGKILL'); // without the addon
  }
}
