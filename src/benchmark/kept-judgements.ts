/**
 * Judgements on disk, one a line, apart from the answers: judging again does not answer again, and a judge that was stopped
 * goes on where it was. The first line says whose they are; those of another judge are begun anew.
 */
import { appendFile, readFile, rename } from 'node:fs/promises';
import { digestOf } from '../batch/index.js';
import { FileError } from '../errors.js';
import { linesOf } from '../lines.js';
import { describePath } from '../options.js';
import { checkPlainFile, placeOf, refusedCall, unwritable, writeWhole } from '../outputs/index.js';
import { Turns } from '../turns.js';

/** Who judged, and what the verdicts depend on. */
export interface JudgeIdentity {
  readonly name: string;
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
}

interface Line<Value> {
  readonly id: string;
  readonly digest: string;
  readonly value: Value;
}

export class KeptJudgements<Value> {
  /** Whether judgements of another judge, or other settings, stood here; they are in `<path>.before`. */
  readonly replaced: boolean;
  readonly #path: string;
  readonly #lines: Map<string, Line<Value>>;
  /** Lines are appended one after another. */
  #queue: Promise<void> = Promise.resolve();

  private constructor(path: string, lines: Map<string, Line<Value>>, replaced: boolean) {
    this.#path = path;
    this.#lines = lines;
    this.replaced = replaced;
  }

  /** @throws FileError ERR_FILE_READ, ERR_FILE_WRITE; ERR_FILE_INVALID for what holds no judgements */
  static async open<Value>(path: string, { name, settings }: JudgeIdentity): Promise<KeptJudgements<Value>> {
    const head = JSON.stringify({ format: FORMAT, formatVersion: 1, judge: { name, settings } });
    const text = await textOf(path);
    const turns = new Turns();
    await turns.give();
    const isOwn = text === head || text.startsWith(`${head}\n`);
    const lines = new Map<string, Line<Value>>();
    for (const row of linesOf(isOwn ? text.slice(head.length + 1) : '')) {
      if (turns.isDue) await turns.give();
      const line = parsed<Value>(row);
      if (line !== null) lines.set(line.id, line);
    }
    const kept = new KeptJudgements<Value>(path, lines, !isOwn && text !== '');
    await kept.#begin(head);
    return kept;
  }

  /** The judgement of exactly this content, if it is known. */
  find(id: string, content: unknown): Value | undefined {
    const line = this.#lines.get(id);
    return line?.digest === digestOf(content) ? line.value : undefined;
  }

  /** @throws FileError ERR_FILE_WRITE */
  async add(id: string, content: unknown, value: Value): Promise<void> {
    const line = { id, digest: digestOf(content), value };
    this.#lines.set(id, line);
    this.#queue = this.#queue.then(() => appendFile(this.#path, `${JSON.stringify(line)}\n`));
    await this.#queue.catch((cause: unknown) => {
      throw unwritable(this.#path, cause);
    });
  }

  /** Writes what was read, so that a line torn by a kill is gone before others follow it. */
  async #begin(head: string): Promise<void> {
    const before = this.replaced ? await setAside(this.#path) : this.#path;
    const lines = await new Turns().map(this.#lines.values(), (line) => JSON.stringify(line));
    await writeWhole(this.#path, (draft) => draft.writeFile([head, ...lines, ''].join('\n')), before);
  }
}

const FORMAT = 'eta-vlm/judgements';

/** What a file of judgements holds; "" where there is none. */
async function textOf(path: string): Promise<string> {
  checkPlainFile(await placeOf(path), path, 'The judgements');
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return '';
    throw new FileError('ERR_FILE_READ', `Expected to read ${describePath(path)}: ${cause.message}.`, { cause });
  });
  if (text === '' || text.startsWith(`{"format":"${FORMAT}"`)) return text;
  throw new FileError(
    'ERR_FILE_INVALID',
    `Expected judgements in ${describePath(path)}, found something else. Name another folder, or take the file away.`,
  );
}

/**
 * Judgements of another judge stay beside the new ones; where the path is a link, beside what it leads to.
 *
 * @returns where they are
 */
async function setAside(path: string): Promise<string> {
  const { target } = await placeOf(path);
  const before = `${target}.before`;
  await textOf(before);
  await rename(target, before).catch((cause: unknown) => {
    throw refusedCall(path, cause);
  });
  return before;
}

/** A whole line; null for an empty or torn one, whose answer is judged again. */
function parsed<Value>(row: string): Line<Value> | null {
  try {
    const line = JSON.parse(row) as Partial<Line<Value>>;
    return typeof line.id === 'string' && typeof line.digest === 'string' && line.value !== undefined
      ? (line as Line<Value>)
      : null;
  } catch {
    return null;
  }
}
