/**
 * Checks what callers pass in. Every public options object goes through {@link parseOptions}: a wrong value, an unknown
 * name and a near miss each get one sentence.
 *
 * What callers read is an interface, because the declarations of a schema keep no comments; what is checked is a schema.
 * {@link parseOptions} does not compile where the two differ: a field that one of them lacks, or that has another type.
 */
import { z } from 'zod';
import { EtaError, UsageError } from './errors.js';
import { didYouMean } from './near-miss.js';
import type { Held } from './same-types.js';
import { quoted, visibleName } from './visible.js';

/**
 * The value as the schema types it, defaults filled in.
 *
 * @param value of the interface that the schema is held to; `unknown` where none speaks of it
 * @param what how the message calls the object, such as "loadEta options"
 * @param elsewhere where a name belongs that stands here by mistake
 * @throws UsageError ERR_UNKNOWN_OPTION for a name the schema lacks, ERR_INVALID_OPTION for a wrong value
 */
export function parseOptions<Schema extends z.ZodType, Options>(
  schema: Schema & Held<z.input<Schema>, Options>,
  value: Options,
  what: string,
  elsewhere?: Elsewhere,
): z.output<Schema> {
  const parsed = reading('ERR_INVALID_OPTION', what, () => schema.safeParse(value ?? {}));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue === undefined) throw new UsageError('ERR_INVALID_OPTION', `${what}: expected valid options.`);
  if (issue.code === 'unrecognized_keys') {
    const unknown = issue.keys[0] ?? '';
    const known = knownNames(schema, issue.path);
    const taker = issue.path.length === 0 && elsewhere?.names.includes(unknown) ? elsewhere.taker : undefined;
    const hint = taker === undefined ? didYouMean(unknown, known) : `Give it to ${taker}.`;
    throw new UsageError('ERR_UNKNOWN_OPTION', `${what}: unknown option '${shortened(unknown)}'. ${hint}`);
  }
  const name = issue.path.join('.') || 'the value';
  const received = SECRETS.has(name)
    ? 'another, which is not shown'
    : reading('ERR_INVALID_OPTION', what, () => describe(valueAt(value, issue.path)));
  throw new UsageError('ERR_INVALID_OPTION', `${what}: ${name}: ${issue.message}; received ${received}.`);
}

/** Names of options whose values no message may hold: what is nearly a key is nearly known. */
const SECRETS: ReadonlySet<string> = new Set(['apiKey']);

/** Options that somebody else takes. */
export interface Elsewhere {
  readonly names: readonly string[];
  /** Who takes them, such as "loadEta". */
  readonly taker: string;
}

/** A device that models compute on; whether there is such a one is asked when it is needed. */
export const deviceName = z.string("expected a device's name, 'auto' or 'CPU'").min(1, "expected a device's name");

/** An integer of at least `least`, said so in the message of what is none. */
export function integerFrom(least: number): z.ZodInt {
  const message = `expected an integer >= ${least}`;
  return z.int(message).min(least, message);
}

/** An integer from `least` to `most`, said so in the message of what is none. */
export function integer(least: number, most: number): z.ZodInt {
  const message = `expected an integer from ${least} to ${most}`;
  return z.int(message).min(least, message).max(most, message);
}

/** A value in words, short enough for a message. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quoted(cut(value));
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value !== 'object') return typeof value;
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' ? `an object (${shortened(name)})` : 'an object';
}

/** A path in words, as {@link describe}; of a long one the end, where the name is. */
export function describePath(path: string): string {
  return quoted(path.length > 60 ? `...${path.slice(-57)}` : path);
}

/** A name short enough for a message, in which nothing of it is hidden. */
export function shortened(text: string): string {
  return visibleName(cut(text));
}

function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/**
 * What `read` makes of a caller's object: getters and proxies run his code, and what that throws is his mistake.
 *
 * @throws UsageError with the code given; EtaError of ours as it is
 */
export function reading<Value>(code: UsageError['code'], what: string, read: () => Value): Value {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof EtaError) throw cause;
    const reason = cause instanceof Error ? cause.message : describe(cause);
    throw new UsageError(code, `${what}: expected fields that can be read, but reading them failed: ${reason}.`, {
      cause,
    });
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current: unknown = value;
  for (const key of path) {
    if (current === null || typeof current !== 'object') return undefined;
    current = (current as Record<PropertyKey, unknown>)[key];
  }
  return current;
}

function knownNames(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let current: unknown = schema;
  for (const key of [...path, undefined]) {
    current = unwrap(current);
    const shape = (current as { shape?: Record<PropertyKey, unknown> }).shape;
    if (key === undefined) return Object.keys(shape ?? {});
    if (typeof key !== 'number') current = shape?.[key]; // arrays are unwrapped to their elements
  }
  return [];
}

function unwrap(schema: unknown): unknown {
  let current = schema;
  while (current !== undefined && typeof (current as { unwrap?: unknown }).unwrap === 'function') {
    current = (current as { unwrap(): unknown }).unwrap();
  }
  return current;
}
