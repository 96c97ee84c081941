/** What model files should be: the hashes that the card in their folder lists. */
import { join, resolve } from 'node:path';
import { readRegularText, sha256OfFile } from '../regular-file.js';

/** `unknown` where nothing says what the hash should be. */
export type HashVerdict = 'matches' | 'differs' | 'unknown';

/** Lines of the card's table hold a file's name and 64 hexadecimal digits. */
export async function hashesOfCard(folder: string): Promise<ReadonlyMap<string, string>> {
  const card = await readRegularText(join(folder, 'README.md')).catch(() => '');
  const hashes = new Map<string, string>();
  for (const line of card.split('\n')) {
    const [name, hash] = [/`([\w./-]+)`/g, /\b[0-9a-f]{64}\b/g];
    for (let file = name.exec(line); file !== null; file = name.exec(line)) {
      hash.lastIndex = name.lastIndex;
      const [sha256] = hash.exec(line) ?? [];
      if (sha256 === undefined) break;
      hashes.set(resolve(folder, file[1] ?? ''), sha256);
      name.lastIndex = hash.lastIndex;
    }
  }
  return hashes;
}

export async function compare(path: string, expected: string | undefined, signal?: AbortSignal): Promise<HashVerdict> {
  if (expected === undefined) return 'unknown';
  return (await sha256OfFile(path, signal)) === expected ? 'matches' : 'differs';
}
