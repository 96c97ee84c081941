/** What a file begins with: a hub that announces a page of text under the name of a model gives it with the right hash. */
import type { FileHandle } from 'node:fs/promises';
import { HubError } from '../errors.js';
import { describe, describePath } from '../options.js';
import type { HubFile } from './listing.js';

/** Of a GGUF. */
export const MAGIC = 'GGUF';
const SHOWN_BYTES = 16;

/** @throws HubError ERR_HUB_CONTENT for what is called a GGUF and begins otherwise */
export async function checkStart(
  handle: FileHandle,
  { repo, file }: { readonly repo: string; readonly file: HubFile },
): Promise<void> {
  if (!/\.gguf$/i.test(file.path)) return;
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(SHOWN_BYTES), 0, SHOWN_BYTES, 0);
  const start = buffer.subarray(0, bytesRead).toString('latin1');
  if (start.startsWith(MAGIC)) return;
  const received =
    bytesRead === 0 ? 'an empty file' : `one that begins with ${describe(start.replace(/[^ -~]/g, '?'))}`;
  throw new HubError(
    'ERR_HUB_CONTENT',
    `Expected ${describePath(file.path)} of ${repo} to be a GGUF, which begins with "${MAGIC}", received ${received}. Nothing was put in place. Look at it on the hub: if it is a model there, a proxy gives something else; if not, name another.`,
  );
}
