/**
 * A load tried beforehand, in a process of its own: llama.cpp ends the process on some damaged files, and then it is not
 * the caller's that ends.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onAbort } from '../abort.js';
import { AbortError, EngineError, throwIfAborted } from '../errors.js';
import { loadAddon } from '../native/binding.js';
import { programFiles } from '../native/package-folder.js';
import { type ProbeEnd, refusalOf } from './probe-end.js';
import type { ProbeOrder } from './probe-order.js';

/** What a load may take beside what its files take: a driver that compiles its shaders, an encoder on one slow core. */
const PATIENCE_MS = 600_000;
/** The slowest disk that is waited for. */
const LEAST_BYTES_PER_MS = 8192;
/** Bytes kept of the end of what the child says. */
const KEPT_BYTES = 65_536;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Loads the model once in a child process, which decodes a token, encodes a picture where there is a projector, and ends.
 *
 * @param patienceMs after which the child is ended. @default ten minutes, and a second for each 8 MiB of the files
 * @throws ModelError ERR_MODEL_INVALID where the child is ended by what it loads, or does not come to an end; what the load
 *   throws there; EngineError ERR_THREADS where the system gives no process; AbortError at once, the child is ended then
 */
export async function probeModel(load: ProbeOrder['load'], signal?: AbortSignal, patienceMs?: number): Promise<void> {
  const addon = loadAddon().place.path;
  const limitMs = patienceMs ?? (await patienceFor(load));
  throwIfAborted(signal);
  const end = await endOf(start(addon), { load, program: programFiles() }, { signal, limitMs });
  const refusal = refusalOf(end, load);
  if (refusal !== null) throw refusal;
}

async function patienceFor({ modelPath, projectorPath }: ProbeOrder['load']): Promise<number> {
  const paths = [modelPath, projectorPath].filter((path) => path !== undefined);
  const sizes = await Promise.all(
    paths.map((path) =>
      stat(path)
        .then(({ size }) => size)
        .catch(() => 0),
    ),
  );
  return PATIENCE_MS + Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / LEAST_BYTES_PER_MS);
}

/** From dist the program is JavaScript; from src it is TypeScript, which tsx has to be told of. */
function start(addon: string): Child {
  const isSource = import.meta.url.endsWith('.ts');
  const program = fileURLToPath(new URL(isSource ? './probe-child.ts' : './probe-child.js', import.meta.url));
  return spawn(process.execPath, [...(isSource ? ['--import', import.meta.resolve('tsx')] : []), program], {
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
    env: {
      ...process.env,
      ELECTRON_RUN_AS_NODE: '1', // in Electron the program of this process is Electron
      ETA_VLM_ADDON: addon,
      GGML_NO_BACKTRACE: '1', // a debugger would be started, and its words stand behind llama.cpp's
    },
  });
}

/** The child hears from its stdin that this process has ended, whatever ended it. */
function endOf(
  child: Child,
  order: ProbeOrder,
  { signal, limitMs }: { readonly signal: AbortSignal | undefined; readonly limitMs: number },
): Promise<ProbeEnd> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(
      () => {
        isLate = true;
        child.kill('SIGKILL');
      },
      Math.min(limitMs, 2 ** 31 - 1),
    );
    const takeBack = onAbort(signal, () => {
      child.kill('SIGKILL');
      settle(() => reject(new AbortError(signal)));
    });
    const settle = (how: () => void) => {
      clearTimeout(timer);
      takeBack();
      how();
    };
    const said = tailOf(child.stdout);
    const complained = tailOf(child.stderr);
    child.stdin.on('error', () => undefined); // it has ended before it read, and its end is told
    child.stdin.write(`${JSON.stringify(order)}\n`);
    child.once('error', (cause) => settle(() => reject(unstarted(cause))));
    child.once('close', (code, killedBy) =>
      settle(() => resolve({ code, signal: killedBy, stdout: said(), stderr: complained(), isLate, limitMs })),
    );
  });
}

/** The last of what a stream gives. */
function tailOf(stream: Readable): () => string {
  let kept = Buffer.alloc(0);
  stream.on('data', (bytes: Buffer) => {
    kept = Buffer.concat([kept, bytes]).subarray(-KEPT_BYTES);
  });
  return () => kept.toString('utf8');
}

function unstarted(cause: Error): EngineError {
  return new EngineError(
    'ERR_THREADS',
    `Expected a process that tries the model, but the system starts none: ${cause.message}. Raise the limit of processes, or load without probe.`,
    { cause },
  );
}
