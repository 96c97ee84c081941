/** An Eta behind an OpenAI-compatible API: `eta-vlm/server`. */
export type { AddressLookup, FoundAddress } from './addresses.js';
export { createServer, type EtaServer } from './create.js';
export { type Listening, type ListenOptions, listen } from './listen.js';
export type { ServedContent, ServedRequest } from './log.js';
export type { ServerOptions } from './options.js';
