/** Server-sent events: what is streamed, piece by piece. */

const encoder = new TextEncoder();

/** A stream that is written into; who reads it may leave. */
export class EventSender {
  readonly stream: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  /** @param onLeft called when the reader has left */
  constructor(onLeft: () => void) {
    this.stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.#controller = undefined;
        onLeft();
      },
    });
  }

  /** Nothing is sent to who has left. What a slow reader has not taken waits: an answer is as long as its tokens at most. */
  send(value: unknown): void {
    this.#write(`data: ${JSON.stringify(value)}\n\n`);
  }

  /** What stands behind the last piece of a stream that ended well. */
  done(): void {
    this.#write('data: [DONE]\n\n');
  }

  end(): void {
    this.#controller?.close();
    this.#controller = undefined;
  }

  #write(text: string): void {
    this.#controller?.enqueue(encoder.encode(text));
  }
}

export const EVENT_STREAM = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no', // or a proxy would hold it back
} as const;
