/** A real server on this machine that answers as planted. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface SeenRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: { readonly model: string; readonly messages: { role: string; content: string }[] } & Record<
    string,
    unknown
  >;
}

export type Answer = (request: SeenRequest, response: ServerResponse, index: number) => void | Promise<void>;

export interface ChatServer extends AsyncDisposable {
  readonly url: string;
  readonly seen: SeenRequest[];
  /** Requests that were under way at once at most. */
  readonly mostAtOnce: () => number;
}

export async function chatServer(answer: Answer): Promise<ChatServer> {
  const seen: SeenRequest[] = [];
  let underWay = 0;
  let most = 0;
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    underWay++;
    most = Math.max(most, underWay);
    response.once('close', () => underWay--);
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const body = JSON.parse(text) as SeenRequest['body'];
    const one = { path: request.url ?? '', authorization: request.headers.authorization, body };
    seen.push(one);
    await answer(one, response, seen.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    mostAtOnce: () => most,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
}

export function completion(content: unknown, finish = 'stop'): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    choices: [{ index: 0, finish_reason: finish, message: { role: 'assistant', content } }],
    usage: { total_tokens: 1 },
  };
}
