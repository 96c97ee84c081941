/** A server asked byte by byte, over a connection of one's own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Json } from './served.js';

export async function opened(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** A whole answer, as it comes over the wire. */
export async function answerOn(socket: Socket): Promise<{ readonly status: number; readonly body: Json }> {
  let text = '';
  socket.on('data', (piece: Buffer) => {
    text += piece;
  });
  while (!/\r\n\r\n\{.*\}$/s.test(text)) {
    assert.ok(!socket.closed, `expected an answer, received a connection that ended behind ${JSON.stringify(text)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return {
    status: Number(/^HTTP\/1\.1 (\d+) /.exec(text)?.[1]),
    body: JSON.parse(text.slice(text.indexOf('\r\n\r\n'))) as Json,
  };
}

/** All that comes until the server ends the connection. */
export async function heardOn(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (piece: Buffer) => {
    text += piece;
  });
  if (!socket.closed) await once(socket, 'close');
  return text;
}
