/** `eta-vlm serve`: the models behind an API, until a signal ends it. All it says goes to stderr, but its address. */
import { onAbort } from '../../abort.js';
import { roomFor } from '../../batch/context-room.js';
import { type ListenOptions, listen } from '../../server/index.js';
import { checkedListenOptions } from '../../server/listen.js';
import { type CalledCommand, reportFailure } from '../../terminal/failure.js';
import { write } from '../../terminal/output.js';
import { print } from '../../terminal/print.js';
import { loadModels } from '../load-models.js';
import { loadOptions } from '../load-options.js';
import { given, type ModelFlags } from '../model-options.js';
import { Notices } from '../notices.js';
import { type PolicyFlags, policyOptions } from '../policy-options.js';
import { keyOf } from './key.js';
import { requestLine } from './request-line.js';

const PARALLEL = 4;

export interface ServeOptions extends ModelFlags, PolicyFlags {
  readonly host?: string;
  readonly port?: number;
  readonly socket?: string;
  readonly apiKey?: string;
  readonly apiKeyFile?: string;
  readonly allowOrigin?: readonly string[];
  readonly allowHost?: readonly string[];
  readonly fetchPictures?: boolean;
  readonly lockPolicy?: boolean;
  readonly page?: boolean;
  readonly log?: 'requests' | 'content';
  readonly parallel?: number;
  readonly queue?: number;
  readonly maxBody?: number;
  readonly timeout?: number;
  readonly grace?: number;
  readonly idleUnload?: number;
}

/** How it is stopped, and what it is called where something of it fails. */
export interface ServeCall {
  readonly signal: AbortSignal;
  readonly called: CalledCommand;
}

/**
 * Serves until the signal fires, then lets running answers end.
 *
 * @throws EtaError what loading and listening throw; what can be refused is refused before the models load
 */
export async function serve(options: ServeOptions, { signal, called }: ServeCall): Promise<void> {
  const settings = await listenOptions(options, called);
  checkedListenOptions(settings);
  const notices = new Notices();
  await using eta = await loadModels({
    ...roomFor(settings.parallel ?? PARALLEL, policyOptions(options)),
    ...loadOptions(options),
    ...policyOptions(options),
    ...given({ idleUnloadMs: options.idleUnload === undefined ? undefined : options.idleUnload * 1000 }),
    onNotice: (notice) => {
      notices.add(notice);
      notices.tell();
    },
    signal,
  });
  const listening = await listen(eta, settings);
  print(`${listening.url}\n`);
  await new Promise<void>((resolve) => void onAbort(signal, resolve));
  await listening.close();
}

async function listenOptions(options: ServeOptions, called: CalledCommand): Promise<ListenOptions> {
  const { host, port, socket, log, timeout, grace, maxBody } = options;
  const seconds = (value: number | undefined) => (value === undefined ? undefined : value * 1000);
  return given({
    host,
    port,
    socket,
    apiKey: await keyOf(options),
    allowedOrigins: options.allowOrigin,
    allowedHosts: options.allowHost,
    fetchPictures: options.fetchPictures,
    lockPolicy: options.lockPolicy,
    page: options.page,
    parallel: options.parallel ?? PARALLEL,
    maxQueueLength: options.queue,
    maxPixels: options.maxPixels,
    maxBodyBytes: maxBody === undefined ? undefined : maxBody * 2 ** 20,
    timeoutMs: seconds(timeout),
    graceMs: seconds(grace),
    onError: (error) => void reportFailure(error, called),
    logContent: log === 'content',
    onRequest: log === undefined ? undefined : (request) => write(process.stderr, `${requestLine(request)}\n`),
  } satisfies ListenOptions);
}
