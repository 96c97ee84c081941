/** One line for each request that was served. */
import type { ServedRequest } from '../../server/index.js';

/** Time, route, status, how long; texts as JSON, so that a line stays a line. */
export function requestLine(request: ServedRequest): string {
  const { method, route, status, ms, actions, usages, code, id, content } = request;
  const tokens = usages.reduce((sum, { answerTokenCount }) => sum + answerTokenCount, 0);
  const words = [
    new Date().toISOString(),
    method,
    route,
    String(status),
    `${Math.round(ms)}ms`,
    ...(actions.length > 0 ? [actions.join(','), `${tokens}tokens`] : []),
    ...(code === null ? [] : [code]),
    ...(id === null ? [] : [id]),
    ...(content === null ? [] : [JSON.stringify(content)]),
  ];
  return words.join(' ');
}
