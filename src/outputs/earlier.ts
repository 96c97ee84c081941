/** Whether what stands at a path is of an earlier run of ours, and may be replaced. */
import { type FileHandle, open, stat } from 'node:fs/promises';

/** How much of a file tells whose it is, from each end. */
const END_BYTES = 2 ** 16;

/** Both ends of a file, as its bytes look, one a character; the same where it is short. */
export interface FileEnds {
  readonly head: string;
  readonly tail: string;
}

/**
 * What stands at a path: nothing that could be lost, a file that we wrote, or anything else.
 *
 * @param isOurs whether a file that begins and ends so is one of ours
 */
export async function earlierAt(
  path: string,
  isOurs: (ends: FileEnds) => boolean | Promise<boolean>,
): Promise<'nothing' | 'ours' | 'other'> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => cause.code);
  if (found === 'ENOENT' || found === 'ENOTDIR') return 'nothing';
  if (typeof found !== 'object' || !found.isFile()) return 'other';
  if (found.size === 0) return 'nothing';
  try {
    return (await isOurs(await endsOf(path, found.size))) ? 'ours' : 'other';
  } catch {
    return 'other'; // what nobody can read, nobody takes for his own
  }
}

async function endsOf(path: string, byteLength: number): Promise<FileEnds> {
  const handle = await open(path, 'r');
  try {
    const head = await textAt(handle, 0);
    return { head, tail: byteLength <= END_BYTES ? head : await textAt(handle, byteLength - END_BYTES) };
  } finally {
    await handle.close();
  }
}

async function textAt(handle: FileHandle, start: number): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(END_BYTES), 0, END_BYTES, start);
  return buffer.toString('latin1', 0, bytesRead);
}
