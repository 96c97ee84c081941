/**
 * What crosses between the processes: plain data, which the structured clone of a MessagePort keeps. Of an error it keeps
 * `name`, `message` and `stack` alone, so an error goes as a Failure and is made an error again by whoever throws it.
 */

/**
 * `param`: the field of the request that is meant, where the server names one.
 * @typedef {{ name: string, code: string, message: string, param?: string }} Failure
 *
 * From the page, over the port of its window. `id` is the page's own; `more` says that it has taken a chunk.
 * @typedef {{ type: 'ask', id: number, request: object } | { type: 'facts' | 'gallery' | 'more' | 'stop', id: number }} Call
 *
 * To the page. Nothing follows an `end`, a `value` or a `failure` of an id.
 * @typedef {{ type: 'chunk', id: number, chunk: object } | { type: 'end', id: number }
 *   | { type: 'value', id: number, value: unknown } | { type: 'failure', id: number, failure: Failure }} Reply
 *
 * From the app's main process. `window` brings the port of a window along.
 * @typedef {{ type: 'load', options: import('eta-vlm').LoadEtaOptions } | { type: 'stop' | 'unload' | 'quit' | 'window' }} Order
 *
 * How far the models are. `fraction` is of the part, from 0 to 1; `bytes` are of a download.
 * @typedef {{ name: 'none' } | { name: 'loading', part: string, fraction: number, bytes?: { received: number, total: number } } | { name: 'ready', model: string }
 *   | { name: 'failed', failure: Failure }} State
 *
 * To the main process. `device-lost`: this process ends, and a new one would have the device again.
 * @typedef {{ type: 'state', state: State } | { type: 'device-lost' }} News
 */

/** @param {unknown} error @returns {Failure} */
export function failureOf(error) {
  if (!(error instanceof Error)) return { name: 'Error', code: 'ERR_UNKNOWN', message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'ERR_UNKNOWN';
  const param = 'param' in error && typeof error.param === 'string' ? { param: error.param } : {};
  return { name: error.name, code, message: error.message, ...param };
}

/** @param {Failure} failure @returns {Error & { code: string }} */
export function errorOf({ message, ...told }) {
  return Object.assign(new Error(message), told);
}
