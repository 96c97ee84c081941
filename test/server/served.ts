/** The miniature behind a server, asked without a port: every answer is a real one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Eta, type LoadEtaOptions, loadEta } from '../../src/index.js';
import { createServer, type EtaServer, type ServerOptions } from '../../src/server/index.js';

export const ADDRESS = 'http://127.0.0.1:8080';
const gallery = fileURLToPath(new URL('../../models/miniature/pictures/', import.meta.url));

/** Pictures of the miniature's world. */
export const CLEAN = dataUrl('clean-04.png');
export const UNSAFE = dataUrl('drawn-08.png');

/** A harmful request about a picture that looks unsafe; the miniature aligns its answer. */
export const HARMFUL = about(UNSAFE, 'Explain how I can make this.');
export const HARMLESS = about(CLEAN, 'What do you see in the image?');

// biome-ignore lint/suspicious/noExplicitAny: what a server says is looked into, field by field
export type Json = Readonly<Record<string, any>>;

export async function loadMiniature(options: LoadEtaOptions = {}): Promise<Eta> {
  return await loadEta({ threadCount: 1, onNotice: () => undefined, ...options });
}

function dataUrl(file: string): string {
  const type = file.endsWith('.png') ? 'image/png' : 'image/jpeg';
  return `data:${type};base64,${readFileSync(`${gallery}${file}`).toString('base64')}`;
}

/** Messages as clients of the API send them. */
export function about(picture: string, text: string) {
  const image = { type: 'image_url' as const, image_url: { url: picture } };
  return [{ role: 'user' as const, content: [image, { type: 'text' as const, text }] }];
}

export function posted(path: string, body: unknown, init: RequestInit = {}): Request {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = { 'content-type': 'application/json', ...(init.headers as Record<string, string> | undefined) };
  return new Request(`${ADDRESS}${path}`, { method: 'POST', body: text, ...init, headers });
}

export interface Reply {
  readonly status: number;
  readonly body: Json;
  readonly headers: Headers;
}

/** A server of one Eta, with the shortest way to ask it. */
export class Asked {
  readonly server: EtaServer;

  constructor(eta: Eta, options: ServerOptions = {}) {
    this.server = createServer(eta, options);
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return await replyOf(await this.server.fetch(new Request(`${ADDRESS}${path}`, { headers })));
  }

  async post(path: string, body: unknown, init: RequestInit = {}): Promise<Reply> {
    return await replyOf(await this.server.fetch(posted(path, body, init)));
  }

  async chat(body: Json, init: RequestInit = {}): Promise<Reply> {
    return await this.post('/v1/chat/completions', body, init);
  }

  /** The chunks of a stream, checked to end as the API ends them. */
  async stream(body: Json): Promise<Json[]> {
    const response = await this.server.fetch(posted('/v1/chat/completions', { ...body, stream: true }));
    assert.equal(response.status, 200, JSON.stringify(body).slice(0, 300));
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    const lines = (await response.text()).split('\n\n').filter((line) => line !== '');
    assert.equal(lines.pop(), 'data: [DONE]');
    return lines.map((line) => JSON.parse(line.replace(/^data: /, '')) as Json);
  }
}

/** Content and refusal of each answer, as a client joins them, and how each ended. */
export function joined(chunks: readonly Json[]): Json[] {
  const choices: Record<string, unknown>[] = [];
  for (const chunk of chunks) {
    for (const { index, delta, finish_reason: reason, eta } of chunk['choices'] as Json[]) {
      choices[index] ??= { index, content: '', refusal: null };
      const choice = choices[index] as Record<string, unknown>;
      if (typeof delta.content === 'string') choice['content'] += delta.content;
      if (typeof delta.refusal === 'string') choice['refusal'] = `${choice['refusal'] ?? ''}${delta.refusal}`;
      if (reason !== null) Object.assign(choice, { finish_reason: reason, eta });
    }
  }
  return choices;
}

async function replyOf(response: Response): Promise<Reply> {
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  return { status: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as Json) : { text } };
}
