/** Whether a path leads to a file at all. What is in it the addon checks, before llama.cpp sees it. */
import { stat } from 'node:fs/promises';
import { ModelError } from '../errors.js';

/**
 * @param what the message's name for it: "language model" or "projector"
 * @throws ModelError ERR_MODEL_NOT_FOUND; ERR_MODEL_INVALID for what is no regular file, or an empty one
 */
export async function checkModelFile(path: string, what: string): Promise<void> {
  const facts = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new ModelError(
      'ERR_MODEL_NOT_FOUND',
      cause.code === 'ENOENT' || cause.code === 'ENOTDIR'
        ? `Expected the ${what} at ${path}, found no file. Check the path.`
        : `Expected the ${what} at ${path}, which cannot be reached: ${cause.message}.`,
      { cause },
    );
  });
  if (facts.isDirectory()) throw invalid(path, what, 'a folder. Pass the path of the .gguf file inside it');
  if (!facts.isFile()) throw invalid(path, what, 'a pipe, a device or a socket. Write it into a file first');
  if (facts.size === 0) throw invalid(path, what, 'an empty file. Fetch it again');
}

function invalid(path: string, what: string, received: string): ModelError {
  return new ModelError('ERR_MODEL_INVALID', `Expected the ${what} as a GGUF file at ${path}, received ${received}.`);
}
