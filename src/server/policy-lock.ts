/** A server whose owner alone decides how answers are checked: what its clients may then not ask for. */
import { isDeepStrictEqual } from 'node:util';
import type { Fields } from '../chat-form/index.js';
import { ServerError } from '../errors.js';
import { describe } from '../options.js';
import { policyFields } from '../policy/index.js';
import type { Service } from './service.js';

/** Of the policy what makes an answer longer or livelier, and no less checked. */
const FREE: ReadonlySet<string> = new Set(['answerTemperature', 'answerTopP', 'maxTokens']);
/** What shows texts that were held back. */
const SHOWING: ReadonlySet<unknown> = new Set(['trace', 'events']);

/**
 * Where the policy is locked, a request may name what is in force and nothing else.
 *
 * @param asked what a request has under `eta`
 * @throws ServerError ERR_POLICY_LOCKED
 */
export function checkUnlocked(asked: Fields | undefined, { eta, settings }: Pick<Service, 'eta' | 'settings'>): void {
  if (asked === undefined || !settings.lockPolicy) return;
  const { policy, thresholds } = eta.facts;
  const inForce: Fields = { ...policy };
  for (const name of Object.keys(policyFields)) {
    if (FREE.has(name) || name === 'thresholds' || asked[name] === undefined) continue;
    if (!isDeepStrictEqual(asked[name], inForce[name])) throw locked(name, inForce[name], asked[name]);
  }
  for (const [name, value] of Object.entries(asked['thresholds'] ?? {})) {
    const threshold = (thresholds as unknown as Fields)[name];
    if (value !== threshold) throw locked(`thresholds.${name}`, threshold, value);
  }
  const shown = Array.isArray(asked['include']) ? asked['include'].find((name) => SHOWING.has(name)) : undefined;
  if (shown !== undefined)
    throw new ServerError(
      'ERR_POLICY_LOCKED',
      `request: eta.include: expected none of ${[...SHOWING].join(', ')}, which show what was held back, because the server's policy is locked; received ${describe(shown)}. Leave it out.`,
    );
}

function locked(name: string, inForce: unknown, received: unknown): ServerError {
  return new ServerError(
    'ERR_POLICY_LOCKED',
    `request: eta.${name}: expected ${describe(inForce)}, which is in force, because the server's policy is locked; received ${describe(received)}. Leave it out.`,
  );
}
