/** The thread that draws, begun with the first drawing. It keeps the process alive only while it draws. */
import { Worker } from 'node:worker_threads';

export interface Drawing {
  readonly id: number;
  /** A whole vega-lite specification. */
  readonly spec: Readonly<Record<string, unknown>>;
}

export type Drawn = { readonly id: number; readonly svg: string } | { readonly id: number; readonly error: unknown };

interface Waiting {
  readonly resolve: (svg: string) => void;
  readonly reject: (error: unknown) => void;
}

class DrawingThread {
  readonly #worker = spawn();
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  constructor() {
    this.#worker.unref();
    this.#worker.on('message', (reply: Drawn) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (this.#waiting.size === 0) this.#worker.unref();
      if ('svg' in reply) waiting?.resolve(reply.svg);
      else waiting?.reject(reply.error);
    });
    this.#worker.on('error', (error) => {
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
      thread = undefined;
    });
  }

  draw(spec: Drawing['spec']): Promise<string> {
    const id = this.#nextId++;
    this.#worker.postMessage({ id, spec } satisfies Drawing);
    this.#worker.ref();
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }
}

let thread: DrawingThread | undefined;

/** A specification as SVG, drawn beside the main thread. @throws what vega throws */
export async function drawn(spec: Drawing['spec']): Promise<string> {
  thread ??= new DrawingThread();
  return await thread.draw(spec);
}

/** From dist the entry is JavaScript; from src it is TypeScript, which tsx has to be told of in each thread. */
function spawn(): Worker {
  const name = 'eta-vlm drawings';
  // Without execArgv: a host's --input-type or --import is not meant for this thread.
  if (!import.meta.url.endsWith('.ts'))
    return new Worker(new URL('./drawing-thread.js', import.meta.url), { execArgv: [], name });
  const entry = JSON.stringify(new URL('./drawing-thread.ts', import.meta.url).href);
  const code = `import('tsx/esm/api').then(({ register }) => { register(); return import(${entry}); })`;
  return new Worker(code, { eval: true, execArgv: [], name });
}
