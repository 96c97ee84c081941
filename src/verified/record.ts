/**
 * What was verified, in a file of the user's cache folder. It holds digests and times alone: no path, and nothing that was
 * asked. Whatever goes wrong with it, it is as if nothing had been remembered.
 */
import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isRecord, parsedJson } from '../json.js';
import { makeFolder, writeWhole } from '../outputs/index.js';

const FORMAT = { format: 'eta-vlm/verified', version: 1 } as const;
/** Of more, the oldest are forgotten. */
const MOST_ENTRIES = 512;
/** More than they take. */
const MOST_BYTES = 2 ** 18;
const DAY_MS = 86_400_000;
const DIGEST = /^[0-9a-f]{64}$/;

/** Of a file its SHA-256; of anything else what its key says again. */
interface Entry {
  readonly value: string;
  /** When it was verified, in milliseconds. */
  readonly at: number;
}

type Entries = ReadonlyMap<string, Entry>;

/** Where it lies on this system: in the folder where the builds of this package are kept. */
export function recordPath(env: NodeJS.ProcessEnv = process.env, platform: NodeJS.Platform = process.platform): string {
  const home = homedir();
  const set = (name: string) => ((env[name] ?? '') === '' ? undefined : env[name]);
  const caches =
    platform === 'win32'
      ? (set('LOCALAPPDATA') ?? join(home, 'AppData', 'Local'))
      : platform === 'darwin'
        ? join(home, 'Library', 'Caches')
        : (set('XDG_CACHE_HOME') ?? join(home, '.cache'));
  return join(set('ETA_VLM_CACHE') ?? join(caches, 'eta-vlm'), 'verified.json');
}

const records = new Map<string, VerifiedRecord>();

export class VerifiedRecord {
  readonly #path: string;
  readonly #known: Promise<Map<string, Entry>>;
  /** What this process found out, in place of what the file says; null: it does not hold. */
  readonly #found = new Map<string, Entry | null>();
  #isUnsaved = false;
  #saving: Promise<void> | undefined;

  /** One for each place: what a process found out it does not ask the file again. */
  static here(path = recordPath()): VerifiedRecord {
    const record = records.get(path) ?? new VerifiedRecord(path);
    records.set(path, record);
    return record;
  }

  private constructor(path: string) {
    this.#path = path;
    this.#known = readEntries(path);
  }

  async get(key: string): Promise<string | undefined> {
    const found = this.#found.get(key);
    if (found !== undefined) return found?.value;
    return (await this.#known).get(key)?.value;
  }

  /** It is written when the work at hand has had its turn; what cannot be written is kept for this process alone. */
  keep(key: string, value: string): void {
    this.#found.set(key, { value, at: Date.now() });
    this.#saveSoon();
  }

  /** Takes back what turned out wrong. */
  async forget(key: string): Promise<void> {
    if ((await this.get(key)) === undefined) return;
    this.#found.set(key, null);
    this.#saveSoon();
  }

  /** Waits for what is being written. */
  async saved(): Promise<void> {
    await this.#saving;
  }

  #saveSoon(): void {
    this.#isUnsaved = true;
    this.#saving ??= this.#save();
  }

  async #save(): Promise<void> {
    while (this.#isUnsaved) {
      await new Promise((resolve) => setImmediate(resolve)); // several are kept at once
      this.#isUnsaved = false;
      const entries = newest(merged(await readEntries(this.#path), this.#found));
      await writeEntries(this.#path, entries).catch(() => undefined); // a home that cannot be written to remembers nothing
    }
    this.#saving = undefined;
  }
}

function merged(old: Entries, found: ReadonlyMap<string, Entry | null>): Map<string, Entry> {
  const entries = new Map(old);
  for (const [key, entry] of found) {
    if (entry === null) entries.delete(key);
    else entries.set(key, entry);
  }
  return entries;
}

function newest(entries: Entries): [string, Entry][] {
  return [...entries].sort(([, a], [, b]) => b.at - a.at).slice(0, MOST_ENTRIES);
}

/** Over nothing, or over a record of ours: never through a link, never over somebody else's file. */
async function writeEntries(path: string, entries: readonly [string, Entry][]): Promise<void> {
  await makeFolder(dirname(path));
  const there = await lstat(path).catch(() => null);
  if (there !== null && (there.isSymbolicLink() || !isRecordText(await ownText(path)))) return;
  const text = JSON.stringify({ ...FORMAT, entries: Object.fromEntries(entries) });
  await writeWhole(path, async (draft) => {
    await draft.chmod(0o600); // one that others may write to would not be believed
    await draft.writeFile(text);
  });
}

/** Empty for what is not there, is no such file, or is not ours alone to write. */
async function readEntries(path: string): Promise<Map<string, Entry>> {
  const text = await ownText(path).catch(() => undefined);
  const value = text === undefined ? undefined : parsedJson(text);
  const entries = new Map<string, Entry>();
  if (!isRecord(value) || value['format'] !== FORMAT.format || value['version'] !== FORMAT.version) return entries;
  const latest = Date.now() + DAY_MS; // a clock that was once wrong must not keep new ones out
  for (const [key, entry] of isRecord(value['entries']) ? Object.entries(value['entries']) : []) {
    if (!isRecord(entry)) continue;
    const { value: said, at } = entry;
    if (DIGEST.test(key) && typeof said === 'string' && DIGEST.test(said) && typeof at === 'number' && at < latest)
      entries.set(key, { value: said, at });
  }
  return entries;
}

/** Whether it may be replaced: a record of any version, also a damaged one that begins as ours. */
function isRecordText(text: string | undefined): boolean {
  return text !== undefined && (text === '' || text.startsWith(`{"format":"${FORMAT.format}"`));
}

/** Of a pipe, opening and reading would wait for ever. */
async function ownText(path: string): Promise<string | undefined> {
  await using file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  const found = await file.stat();
  const isForeign = process.getuid !== undefined && (found.uid !== process.getuid() || (found.mode & 0o022) !== 0);
  return isForeign || !found.isFile() || found.size > MOST_BYTES ? undefined : await file.readFile('utf8');
}
