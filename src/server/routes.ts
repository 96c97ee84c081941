/** What can be asked, and who answers it. */
import type { RequestRecord } from './log.js';

export interface Route {
  readonly method: 'GET' | 'POST';
  /** As documents, logs and metrics write it: `/v1/models/{id}`. A name in braces stands at the end, and for all that is left. */
  readonly path: string;
  /** Whether it is answered without a key, as it tells nothing that a stranger may not know. */
  readonly isOpen?: boolean;
  answer(
    request: Request,
    record: RequestRecord,
    params: Readonly<Record<string, string>>,
  ): Promise<Response> | Response;
}

/** The path as hono reads it. */
export function patternOf({ path }: Route): string {
  return path.replace(/\{(\w+)\}$/, ':$1{.+}');
}

export function get(path: string, answer: Route['answer']): Route {
  return { method: 'GET', path, answer };
}

export function post(path: string, answer: Route['answer']): Route {
  return { method: 'POST', path, answer };
}
