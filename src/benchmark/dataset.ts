/** A benchmark that can be read from a folder, and that folder's files with errors that say what was expected. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../errors.js';
import { linesOf } from '../lines.js';
import { describe, describePath } from '../options.js';
import { checkRegular, exists } from '../regular-file.js';
import { Turns } from '../turns.js';
import type { Method } from '../types/policy.js';
import type { BenchmarkItem } from './item.js';

export interface Dataset {
  /** As the command line calls it. */
  readonly name: string;
  readonly title: string;
  /** Who made it, and where it is described. */
  readonly source: string;
  readonly licence: string;
  /** The files under the root, as distributed; "or" where two layouts are accepted. */
  readonly layout: readonly string[];
  /** Ways of asking, the default first; empty where there is one. */
  readonly variants: readonly string[];
  /** Where it ships with the package. */
  readonly shippedRoot?: string;
  /** Tokens of an answer at most, when nobody says. @default the policy's */
  readonly maxTokens?: number;
  /**
   * @throws UsageError ERR_DATASET_LAYOUT for a file that is missing, ERR_DATASET_INVALID for one that holds something else
   */
  load(folder: DatasetFolder, variant: string): Promise<readonly BenchmarkItem[]>;
  /** Whether an item is asked under a method with the seed of this index. @default always */
  asks?(item: BenchmarkItem, method: Method, seedIndex: number): boolean;
}

/** The largest file that is read into one string; Node's own limit is a little above. */
const MAX_TEXT_BYTES = 500 * 2 ** 20;

/** Entries of a folder that a message names. */
const SHOWN_ENTRIES = 6;

/** A folder that should hold a benchmark. */
export class DatasetFolder {
  readonly root: string;
  /** Absolute paths of all that was looked at, files and folders. */
  readonly seen = new Set<string>();
  readonly #dataset: Pick<Dataset, 'name' | 'layout'>;
  readonly #option: string;
  /** Names in folders that were looked into. */
  readonly #listings = new Map<string, Promise<ReadonlySet<string>>>();

  /** @param option which names the folder, as messages say it */
  constructor(root: string, dataset: Pick<Dataset, 'name' | 'layout'>, option = '--root') {
    this.root = resolve(root);
    this.#dataset = dataset;
    this.#option = option;
  }

  /** Absolute path of a file of the set, whether it is there or not. */
  path(relative: string): string {
    const path = resolve(this.root, relative);
    this.seen.add(path);
    return path;
  }

  /** The first of these paths that exists, relative to the root. */
  async find(candidates: readonly string[]): Promise<string | undefined> {
    for (const candidate of candidates) if (await exists(this.path(candidate))) return candidate;
    return undefined;
  }

  /** @throws UsageError ERR_DATASET_LAYOUT when none of these paths exists; FileError ERR_FILE_READ for a pipe or a device */
  async require(...candidates: readonly string[]): Promise<string> {
    const file = (await this.find(candidates)) ?? (await this.#missing(candidates));
    await checkRegular(this.path(file));
    return file;
  }

  /** @throws UsageError ERR_DATASET_LAYOUT when it is missing, ERR_DATASET_INVALID when it is empty, no UTF-8, or too large */
  async text(...candidates: readonly string[]): Promise<{ readonly file: string; readonly text: string }> {
    const file = await this.require(...candidates);
    const { size } = await stat(this.path(file));
    if (size > MAX_TEXT_BYTES)
      throw this.invalid(file, `expected at most ${MAX_TEXT_BYTES} bytes, received ${size}. Split the file.`);
    const turns = new Turns();
    let text: string;
    try {
      const bytes = await readFile(this.path(file));
      await turns.give();
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      await turns.give();
    } catch (cause) {
      throw this.invalid(file, 'expected text in UTF-8, received other bytes. Fetch the file again.', { cause });
    }
    if (text.trim() === '') throw this.invalid(file, 'expected content, received an empty file. Fetch it again.');
    return { file, text };
  }

  /** A JSON file that fits the schema. @throws UsageError as {@link text}, with the place that does not fit */
  async json<Schema extends z.ZodType>(schema: Schema, ...candidates: readonly string[]): Promise<z.output<Schema>> {
    const { file, text } = await this.text(...candidates);
    return this.fits(schema, this.#parse(file, text), file);
  }

  /** One JSON value a line; empty lines are passed over. @throws UsageError as {@link json}, with the line */
  async jsonLines<Schema extends z.ZodType>(
    schema: Schema,
    ...candidates: readonly string[]
  ): Promise<{
    readonly file: string;
    readonly rows: readonly { readonly line: number; readonly row: z.output<Schema> }[];
  }> {
    const { file, text } = await this.text(...candidates);
    const rows = await new Turns().map(linesOf(text), (line, index) =>
      line.trim() === ''
        ? null
        : { line: index + 1, row: this.fits(schema, this.#parse(file, line, index + 1), file, index + 1) },
    );
    return { file, rows: rows.filter((row) => row !== null) };
  }

  /** @throws UsageError ERR_DATASET_INVALID with the first place that does not fit */
  fits<Schema extends z.ZodType>(schema: Schema, value: unknown, file: string, line?: number): z.output<Schema> {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const path = issue?.path ?? [];
    const place = path.length === 0 ? '' : `${path.join('.')}: `;
    throw this.invalid(
      file,
      `${place}${issue?.message ?? 'expected another value'}; received ${received(value, path)}.`,
      {
        line,
      },
    );
  }

  /**
   * Absolute paths of pictures, all of which must be there.
   *
   * @throws UsageError ERR_DATASET_LAYOUT with the first that is missing and how many are
   */
  async pictures(relatives: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const missing: string[] = [];
    for (const relative of new Set(relatives)) {
      const place = relative.lastIndexOf('/');
      const names = await this.#names(place < 0 ? '' : relative.slice(0, place));
      if (!names.has(relative.slice(place + 1))) missing.push(relative);
    }
    if (missing.length > 0) {
      const [first = ''] = missing;
      const others =
        missing.length === 1 ? '' : ` (${missing.length} of ${new Set(relatives).size} pictures are missing)`;
      await this.#missing([first], others);
    }
    return new Map(relatives.map((relative) => [relative, this.path(relative)]));
  }

  /** Names in a folder of the set; none when it does not exist. */
  async names(relative: string): Promise<readonly string[]> {
    return [...(await this.#names(relative))].sort();
  }

  /** The error of a file that holds something else than expected. */
  invalid(file: string, what: string, options: { line?: number | undefined; cause?: unknown } = {}): UsageError {
    const place = options.line === undefined ? file : `${file}, line ${options.line}`;
    return new UsageError('ERR_DATASET_INVALID', `${this.#dataset.name}: ${place}: ${what}`, { cause: options.cause });
  }

  #names(relative: string): Promise<ReadonlySet<string>> {
    const known = this.#listings.get(relative);
    if (known !== undefined) return known;
    const names = readdir(this.path(relative)).then(
      (found) => new Set(found),
      () => new Set<string>(),
    );
    this.#listings.set(relative, names);
    return names;
  }

  #parse(file: string, text: string, line?: number): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw this.invalid(file, `expected JSON, received ${describe(text.trim())} (${reason}).`, { line, cause });
    }
  }

  /** @param others what the message says of others that are missing too */
  async #missing(candidates: readonly string[], others = ''): Promise<never> {
    const { name, layout } = this.#dataset;
    const found = await stat(this.root).catch(() => undefined);
    const held =
      found === undefined
        ? 'which does not exist'
        : found.isDirectory()
          ? await this.#held(candidates)
          : 'which is a file';
    const hint = found?.isDirectory() === true ? await this.#nearby(candidates) : undefined;
    const advice = hint === undefined ? '' : ` Did you mean '${this.#option} ${hint}'?`;
    throw new UsageError(
      'ERR_DATASET_LAYOUT',
      `${name}: expected ${candidates.join(' or ')}${others} under ${describePath(this.root)}, ${held}.${advice} ` +
        `The set is distributed as: ${layout.join('; ')}.`,
    );
  }

  /** What the nearest folder holds that is there; that of the root for a choice between several places. */
  async #held(candidates: readonly string[]): Promise<string> {
    let folder = candidates.length === 1 ? dirname(candidates[0] ?? '') : '.';
    while (folder !== '.' && !(await exists(join(this.root, folder)))) folder = dirname(folder);
    const entries = await this.#entries(join(this.root, folder));
    return folder === '.' ? `which holds ${entries}` : `where ${folder}/ holds ${entries}`;
  }

  async #entries(folder: string): Promise<string> {
    const entries = await readdir(folder, { withFileTypes: true });
    if (entries.length === 0) return 'nothing';
    const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort();
    const shown = names.slice(0, SHOWN_ENTRIES).join(', ');
    return names.length > SHOWN_ENTRIES ? `${shown} and ${names.length - SHOWN_ENTRIES} more` : shown;
  }

  /** The folder one level up or down that does hold it. */
  async #nearby(candidates: readonly string[]): Promise<string | undefined> {
    const entries = await readdir(this.root, { withFileTypes: true });
    const below = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    for (const folder of ['..', ...below.sort().slice(0, 50)]) {
      for (const candidate of candidates)
        if (await exists(join(this.root, folder, candidate))) return join(this.root, folder);
    }
    return undefined;
  }
}

function received(value: unknown, path: readonly PropertyKey[]): string {
  let current: unknown = value;
  for (const key of path) {
    if (current === null || typeof current !== 'object') return 'nothing';
    current = (current as Record<PropertyKey, unknown>)[key];
  }
  return describe(current);
}

/** A text that says something. */
export const someText = z
  .string('expected a text')
  .refine((value) => value.trim() !== '', 'expected a text that is not empty');
