/** The app's own scheme: the page of eta-vlm and the start page, as files, with a policy that lets nothing else in. */
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';

export const SCHEME = 'eta-app';
export const START = `${SCHEME}://start/`;
export const LICENCES = `${START}licences.txt`;
export const PAGE = `${SCHEME}://page/`;

/** What a page may load: itself, and pictures that it was given. It talks to the models through the preload script alone. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** @type {Readonly<Record<string, string>>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * Answers requests of the scheme.
 *
 * @param {Readonly<Record<string, string>>} folders by the host of an address, as `page` in `eta-app://page/`
 * @returns {(request: Pick<Request, 'url' | 'method'>) => Promise<Response>}
 */
export function servePages(folders) {
  return async ({ url, method }) => {
    const { host, pathname } = new URL(url);
    const folder = folders[host];
    const name = decodeURIComponent(pathname).replace(/\/$/, '/index.html');
    const path = folder === undefined ? undefined : join(folder, normalize(name));
    if (folder === undefined || path === undefined || !path.startsWith(folder + sep)) return nothing(404);
    if (method !== 'GET') return nothing(405);
    const bytes = await readFile(path).catch(() => null);
    if (bytes === null) return nothing(404);
    const type = TYPES[extname(path)] ?? 'application/octet-stream';
    const headers = { 'content-type': type, 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff' };
    return new Response(new Uint8Array(bytes), { headers });
  };
}

/** @param {number} status */
const nothing = (status) => new Response(null, { status });
