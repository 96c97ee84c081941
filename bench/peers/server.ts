/** llama-server on the loopback interface: started, asked, ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { peer } from './programs.js';

const HOST = '127.0.0.1';
const START_MS = 120_000;
const POLL_MS = 50;
/** Characters of its log that are kept, for the message of a failure. */
const KEPT_LOG = 4000;

/** Greedy, and nothing else of its chain of samplers, which by default has nine. */
export const GREEDY = { temperature: 0, samplers: ['temperature'] };

interface ServerOptions {
  readonly languageModel: string;
  readonly projector?: string | null | undefined;
  /** Requests at once. @default 1 */
  readonly slotCount?: number | undefined;
  /** KV cells of all slots together. */
  readonly contextSize: number;
  /** @default its own */
  readonly threadCount?: number | undefined;
}

/** A prompt: tokens, or a text with pictures in the places of its marks. */
export interface PeerPrompt {
  /** `PICTURE` stands for a picture. */
  readonly text: string | readonly number[];
  /** Paths. */
  readonly pictures?: readonly string[] | undefined;
}

/** Where a picture stands in the text of a prompt. */
export const PICTURE = '<__media__>';

/** What the server tells of a completion. */
interface Completion {
  readonly content: string;
  /** `eos`: the model ended it; the token that says so is counted. */
  readonly stop_type: string;
  readonly tokens_predicted: number;
  readonly tokens_evaluated: number;
  readonly timings: {
    readonly prompt_n: number;
    readonly prompt_ms: number;
    readonly predicted_ms: number;
    readonly cache_n: number;
  };
}

interface Asked {
  /** Everything that was said. */
  readonly text: string;
  /** From the request to its first text, where it streams, else to its end. */
  readonly firstMs: number;
  readonly totalMs: number;
  readonly completions: readonly Completion[];
}

// A process that a signal ends takes its servers with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

export class LlamaServer {
  readonly #child: ChildProcess;
  readonly #address: string;

  private constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.#address = address;
  }

  /** Such as `http://127.0.0.1:1234`. */
  get address(): string {
    return this.#address;
  }

  /** Returns when it answers. Prompts that left their slot are not kept: copying them would count against it. */
  static async start(options: ServerOptions): Promise<LlamaServer> {
    const { languageModel, projector, slotCount = 1, contextSize, threadCount } = options;
    const port = await freePort();
    const args = ['--host', HOST, '--port', String(port), '--offline', '--no-ui', '--cache-ram', '0'];
    args.push('-m', languageModel, '-np', String(slotCount), '-c', String(contextSize), '--kv-unified');
    if (typeof projector === 'string') args.push('--mmproj', projector);
    if (threadCount !== undefined) args.push('-t', String(threadCount));
    const env = { ...process.env, LLAMA_MEDIA_MARKER: PICTURE };
    const child = spawn(peer('llama-server'), args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    process.once('exit', () => child.kill('SIGKILL'));
    let log = '';
    const keep = (text: Buffer) => {
      log = (log + text).slice(-KEPT_LOG);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const server = new LlamaServer(child, `http://${HOST}:${port}`);
    for (const end = performance.now() + START_MS; !(await server.#isUp()); ) {
      if (child.exitCode === null && child.signalCode === null && performance.now() < end) {
        await new Promise((done) => setTimeout(done, POLL_MS));
        continue;
      }
      await server.stop();
      throw new Error(`llama-server did not start: ${log}`);
    }
    return server;
  }

  /** One completion, or several of the same prompt (`n_cmpl`). Nothing of an earlier request is used unless `keeps`. */
  async ask(
    prompt: PeerPrompt,
    tokens: number,
    { keeps = false, ...more }: { readonly keeps?: boolean } & Readonly<Record<string, unknown>> = {},
  ): Promise<Asked> {
    const { text, pictures = [] } = prompt;
    const data = pictures.map((path) => readFileSync(path).toString('base64'));
    const body = JSON.stringify({
      prompt: data.length === 0 ? text : { prompt_string: text, multimodal_data: data },
      n_predict: tokens,
      cache_prompt: keeps,
      ...GREEDY,
      ...more,
    });
    const startedAt = performance.now();
    // A connection of its own: llama-server closes one that is kept after some requests, and the next may be on its way then.
    const headers = { connection: 'close' };
    const reply = await fetch(`${this.#address}/completion`, { method: 'POST', headers, body });
    if (!reply.ok || reply.body === null) throw new Error(`llama-server: ${reply.status} ${await reply.text()}`);
    let firstMs: number | undefined;
    let whole = '';
    const decoder = new TextDecoder();
    for await (const bytes of reply.body) {
      const piece = decoder.decode(bytes, { stream: true });
      whole += piece;
      if (piece.includes('"content":"') && !piece.includes('"content":""')) firstMs ??= performance.now() - startedAt;
    }
    const totalMs = performance.now() - startedAt;
    const events = eventsOf(whole);
    const said = events.flat().map(({ content }) => content);
    const completions = [events.at(-1) ?? []].flat(); // of a stream, the last event holds the numbers
    return { text: said.join(''), firstMs: firstMs ?? totalMs, totalMs, completions };
  }

  /** Ends it, and waits until it is gone. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #isUp(): Promise<boolean> {
    try {
      return (await fetch(`${this.#address}/health`)).ok;
    } catch {
      return false; // nobody listens yet
    }
  }
}

/** Of a stream, each event, between which it may say that it lives; else the one reply. */
function eventsOf(whole: string): (Completion | Completion[])[] {
  const MARK = 'data: ';
  const isStream = whole.startsWith(MARK) || whole.startsWith(':');
  const lines = isStream ? whole.split('\n').filter((line) => line.startsWith(MARK)) : [MARK + whole];
  return lines.map((line) => JSON.parse(line.slice(MARK.length)) as Completion | Completion[]);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, HOST);
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('Expected a port of the loopback interface.');
  return address.port;
}
