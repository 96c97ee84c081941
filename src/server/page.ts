/** The page, where the package holds it: files of dist/page, and nothing else of the disk. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServerError } from '../errors.js';
import { describe } from '../options.js';
import type { Route } from './routes.js';

/** From src and from dist alike. */
const FOLDER = fileURLToPath(new URL('../../dist/page/', import.meta.url));
const INDEX = 'index.html';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
};

/** Nothing from outside, nothing written into the page runs, nobody frames it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** None where the package holds no page. */
export function pageRoutes(): Route[] {
  const files = filesOf(FOLDER);
  if (!files.has(INDEX)) return [];
  const serve = async (file: string) => {
    if (!files.has(file))
      throw new ServerError('ERR_ROUTE', `Expected a file of the page, received ${describe(file)}.`);
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    // names of what lies in assets change with what is in them
    const cache = file.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
    const bytes = await readFile(join(FOLDER, file));
    return new Response(new Uint8Array(bytes), {
      headers: { ...HEADERS, 'content-type': type, 'cache-control': cache },
    });
  };
  const beside = [...files].filter((file) => !file.includes('/') && file !== INDEX);
  const fixed = beside.map(
    (file): Route => ({ method: 'GET', path: `/${file}`, isOpen: true, answer: () => serve(file) }),
  );
  return [
    { method: 'GET', path: '/', isOpen: true, answer: () => serve(INDEX) },
    ...fixed,
    {
      method: 'GET',
      path: '/assets/{file}',
      isOpen: true,
      answer: (_request, _record, { file = '' }) => serve(`assets/${file}`),
    },
  ];
}

/** Files alone, with slashes, from the folder; none where it is not there. */
function filesOf(folder: string): ReadonlySet<string> {
  try {
    return new Set(
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).replaceAll('\\', '/')),
    );
  } catch {
    return new Set();
  }
}
