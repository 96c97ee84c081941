/** A line between page and server that can be slow, break off, or be dead: what it carries is the real server's. */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export class Line {
  readonly #server: Server;
  readonly #target: URL;
  #port = 0;
  /** Before each event of a stream. */
  delayMs = 0;
  /** Whether a stream halts behind the first text that it gives out, until {@link breakOff}. */
  haltsAtText = false;
  readonly #halted: ServerResponse[] = [];
  /** Whether a picture breaks off in its middle. */
  breaksPictures = false;
  /** Bodies of what was asked of the models, the newest last. */
  readonly asked: string[] = [];
  /** Streams whose reader left before their end. */
  leftCount = 0;

  constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((incoming, response) => this.#carry(incoming, response));
  }

  /** Also after {@link down}, at the same address. */
  async up(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Ends what has halted in the middle. A browser throws away what its page has not read by then: wait for the text before. */
  breakOff(): void {
    this.haltsAtText = false;
    for (const response of this.#halted.splice(0)) response.destroy();
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  #carry(incoming: IncomingMessage, response: ServerResponse): void {
    const { hostname, port } = this.#target;
    const { method, url: path, headers } = incoming;
    const body: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => body.push(piece));
    incoming.on('end', () => {
      if (method === 'POST') this.asked.push(Buffer.concat(body).toString());
      const onward = request({ hostname, port, method, path, headers }, (answer) => void this.#pass(answer, response));
      onward.on('error', () => response.destroy());
      response.on('close', () => {
        if (!response.writableEnded) this.leftCount++;
        onward.destroy();
      });
      onward.end(Buffer.concat(body));
    });
  }

  async #pass(answer: IncomingMessage, response: ServerResponse): Promise<void> {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    if (this.breaksPictures && answer.headers['content-type']?.startsWith('image/') === true) {
      answer.once('data', (piece: Buffer) =>
        response.write(piece.subarray(0, piece.length / 2), () => setTimeout(() => response.destroy(), 50)),
      );
      return;
    }
    if (answer.headers['content-type']?.startsWith('text/event-stream') !== true) {
      answer.pipe(response);
      return;
    }
    let rest = '';
    answer.setEncoding('utf8');
    for await (const piece of answer.iterator({ destroyOnReturn: true })) {
      const events = (rest + piece).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
        if (response.destroyed) return;
        response.write(`${event}\n\n`);
        if (this.haltsAtText && /"content":"[^"]/.test(event)) {
          this.#halted.push(response);
          return;
        }
      }
    }
    response.end();
  }
}
