/**
 * Clients that wait with a body until they are told to go on (`Expect: 100-continue`). They are told when the body begins to
 * be read: whoever is refused before sends none of it, and Node ends the connection of such an answer.
 */
import type { Server, ServerResponse } from 'node:http';

const held = new WeakMap<object, ServerResponse>();
const waiting = new WeakMap<Request, ServerResponse>();

/** Keeps Node from telling every client to go on before anybody has looked at its request. */
export function holdContinue(http: Server): void {
  http.on('checkContinue', (incoming, outgoing) => {
    held.set(incoming, outgoing);
    http.emit('request', incoming, outgoing);
  });
}

/** Says as what a request came. */
export function cameAs(request: Request, incoming: object): void {
  const outgoing = held.get(incoming);
  if (outgoing !== undefined) waiting.set(request, outgoing);
}

/** Tells a client that waits to send the body, just before it is read. */
export function askForBody(request: Request): void {
  waiting.get(request)?.writeContinue();
}
