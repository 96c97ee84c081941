/** The changes of an attack by name: those that were asked for, or all. */
import { UsageError } from '../errors.js';
import { didYouMean } from '../near-miss.js';
import { describe } from '../options.js';
import { PICTURE_CHANGES, type PictureChange } from './picture-changes.js';
import { REQUEST_CHANGES, type RequestChange } from './request-changes.js';

/** Name of the search among the changes. */
export const SEARCH = 'search';

/** Name of the answers that are wrapped in refusals. */
const WRAPPED = 'wrapped';

export const CHANGE_NAMES: readonly string[] = [
  ...PICTURE_CHANGES.map(({ name }) => name),
  ...REQUEST_CHANGES.map(({ name }) => name),
  SEARCH,
  WRAPPED,
];

export interface ChosenChanges {
  readonly pictures: readonly PictureChange[];
  readonly requests: readonly RequestChange[];
  /** Whether a change is searched that lowers the CLIP score. */
  readonly isSearched: boolean;
  /** Whether harmful answers are wrapped in refusals and judged. */
  readonly isWrapped: boolean;
}

/**
 * The changes of these names; without any, all.
 *
 * @throws UsageError ERR_INVALID_OPTION with the known names
 */
export function chosenChanges(wanted: readonly string[] | undefined): ChosenChanges {
  for (const name of wanted ?? []) {
    if (CHANGE_NAMES.includes(name)) continue;
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `--change: expected names of changes, received ${describe(name)}. ${didYouMean(name, CHANGE_NAMES)}`,
    );
  }
  const isWanted = (name: string) => wanted === undefined || wanted.includes(name);
  return {
    pictures: PICTURE_CHANGES.filter(({ name }) => isWanted(name)),
    requests: REQUEST_CHANGES.filter(({ name }) => isWanted(name)),
    isSearched: isWanted(SEARCH),
    isWrapped: isWanted(WRAPPED),
  };
}
