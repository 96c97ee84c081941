/**
 * Connections of a server that listens: how many there may be, and when one ends. Node tells the end of one to its first
 * response alone; whoever sent several requests at once, and leaves, leaves them all.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const ends = new WeakMap<Socket, AbortSignal>();
const connections = new WeakMap<Request, AbortSignal>();

/** A request under way, and where its answer goes. */
interface Asking {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** Says on which connection a request came. */
export function cameOn(request: Request, socket: Socket): void {
  let end = ends.get(socket);
  if (end === undefined) {
    const controller = new AbortController();
    socket.once('close', () => controller.abort());
    end = controller.signal;
    ends.set(socket, end);
  }
  connections.set(request, end);
}

/** Fires when who asked has left. */
export function leavingOf(request: Request): AbortSignal {
  const connection = connections.get(request);
  return connection === undefined ? request.signal : AbortSignal.any([request.signal, connection]);
}

/**
 * Keeps the connections of a server to so many. One more takes the place of whoever has asked nothing for longest, or else
 * has not sent all of its request: silence shuts nobody out. Those that are being answered stay.
 */
export class Connections {
  readonly #most: number;
  /** Without a request under way; who has been so longest stands first. */
  readonly #quiet = new Set<Socket>();
  /** With requests under way, the newest of each. */
  readonly #asking = new Map<Socket, Asking>();

  constructor(http: Server, most: number) {
    this.#most = most;
    http.on('connection', (socket) => this.#take(socket));
    http.on('request', (incoming, outgoing) => {
      const { socket } = incoming;
      this.#quiet.delete(socket);
      this.#asking.set(socket, { incoming, outgoing });
      outgoing.once('close', () => {
        if (this.#asking.get(socket)?.incoming !== incoming || socket.destroyed) return;
        this.#asking.delete(socket);
        this.#quiet.add(socket);
      });
    });
  }

  /**
   * Whether what is wrong with what just came can be told there: not where a response is on its way, or is to come. Where a
   * request breaks off in its own body, the response that is to come is that.
   */
  canTell(socket: Socket): boolean {
    if (!socket.writable) return false;
    const asking = this.#asking.get(socket);
    if (asking === undefined) return true;
    const { incoming, outgoing } = asking;
    return !incoming.complete && !outgoing.headersSent && outgoing.socket === socket; // those before it are answered
  }

  #take(socket: Socket): void {
    if (this.#quiet.size + this.#asking.size >= this.#most) {
      const spared = this.#leastNeeded();
      if (spared === undefined) {
        socket.destroy();
        return;
      }
      this.#forget(spared);
      spared.destroy();
    }
    this.#quiet.add(socket);
    socket.once('close', () => this.#forget(socket));
  }

  #leastNeeded(): Socket | undefined {
    const [silent] = this.#quiet;
    if (silent !== undefined) return silent;
    for (const [socket, { incoming }] of this.#asking) if (!incoming.complete) return socket;
    return undefined;
  }

  #forget(socket: Socket): void {
    this.#quiet.delete(socket);
    this.#asking.delete(socket);
  }
}
