/** Whether the server is there, and what it says of itself. */
import { type Transport, TransportError } from './transport.js';
import type { Facts, Failure, GalleryPicture } from './wire.js';

/** Between two looks at a server that is there, and at one that is gone. */
const CALM_MS = 20_000;
const ANXIOUS_MS = 2_000;

export class Server {
  readonly #transport: Transport;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** `new`: nobody has asked yet. */
  status = $state<'new' | 'there' | 'gone' | 'locked'>('new');
  facts = $state.raw<Facts | null>(null);
  pictures = $state.raw<readonly GalleryPicture[]>([]);
  /** Why it is not there. */
  failure = $state.raw<Failure | null>(null);
  /** Whether it came back, until the next question. */
  isBack = $state(false);

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get takesKey(): boolean {
    return this.#transport.useKey !== undefined;
  }

  /** Looks now, and again from time to time. */
  async watch(): Promise<void> {
    clearTimeout(this.#timer);
    await this.look();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.watch(), this.status === 'there' ? CALM_MS : ANXIOUS_MS);
  }

  /** Whether it is there. */
  async look(): Promise<boolean> {
    try {
      this.facts = await this.#transport.facts();
      if (this.facts.hasGallery && this.pictures.length === 0)
        this.pictures = (await this.#transport.gallery()).pictures;
      this.isBack ||= this.status === 'gone';
      this.status = 'there';
      this.failure = null;
      return true;
    } catch (error) {
      // Whatever it is, the page goes on looking.
      const { code, message } = error instanceof TransportError ? error : unreadable(error);
      this.status = code === 'key' ? 'locked' : 'gone';
      this.failure = { code, message };
      this.isBack = false;
      return false;
    }
  }

  async useKey(key: string): Promise<boolean> {
    this.#transport.useKey?.(key);
    await this.watch();
    return this.status === 'there';
  }
}

/** What a preload script threw, or what is no answer of such a server. */
function unreadable(error: unknown): Failure {
  const why = error instanceof Error ? error.message : String(error);
  return { code: 'broken', message: `The server told nothing that this page can read (${why}). Start it again.` };
}
