/** What a request shares with others, and who runs alone. */
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { Room } from '../room.js';

/** What a request shares with others: one that runs alone takes nothing of theirs. */
export interface Sharing {
  /** Whether it may start from what earlier requests left, and leave what it read. */
  readonly reuse: boolean;
  /** Whether it runs alone. */
  readonly exact: boolean;
}

const flag = z.boolean('expected true or false').optional();

/** Of everything that may be asked. */
export const sharingFields = { reuse: flag, exact: flag };

/** @param asked what the request says; it goes before `defaults` */
export function sharingOf(asked: { [Name in keyof Sharing]?: boolean | undefined }, defaults: Sharing): Sharing {
  const { exact = defaults.exact, reuse = defaults.reuse } = asked;
  return { reuse: !exact && reuse, exact };
}

/** More requests at once than there will ever be. */
const EVERYBODY = Number.MAX_SAFE_INTEGER;

/**
 * Who is under way: any number side by side, or one alone. First come, first served, so that who wants to be alone has its
 * turn.
 */
export class Company {
  readonly #room = new Room(EVERYBODY);

  /**
   * Waits for its turn.
   *
   * @returns ends it; idempotent
   * @throws AbortError
   */
  async enter({ exact }: Pick<Sharing, 'exact'>, signal: AbortSignal): Promise<() => void> {
    const leave = await this.#room.enter(exact ? EVERYBODY : 1, signal);
    if (exact) await setImmediate(); // whoever was here before has given back by then what it held
    return leave;
  }
}
