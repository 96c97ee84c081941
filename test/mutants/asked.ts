/** What `npm run mutants` is asked for, and the name of the file that keeps what was found for it. */
import { Misuse, readArguments, wholeNumber } from '../fuzz/misuse.js';
import { ROOMS, TOLD } from './rooms.js';

export interface Asked {
  readonly rooms: readonly string[];
  readonly count: number;
  readonly seed: number;
  /** Seconds that a test file may take to be asked at all. */
  readonly longest: number;
  readonly known: boolean;
  /** Percent of a room's faults that have to be seen. */
  readonly least: number;
}

export function readAsked(words: readonly string[]): Asked {
  const { values } = readArguments({
    args: [...words],
    options: {
      rooms: { type: 'string', default: TOLD.join() },
      count: { type: 'string', default: '30' },
      seed: { type: 'string', default: '1' },
      longest: { type: 'string', default: '120' },
      known: { type: 'boolean', default: false },
      least: { type: 'string', default: '0' },
    },
  });
  const rooms = values.rooms.split(',');
  const unknown = rooms.find((name) => !Object.hasOwn(ROOMS, name));
  if (unknown !== undefined)
    throw new Misuse(
      `Expected --rooms of ${Object.keys(ROOMS).join(', ')}, separated by commas, received '${unknown}'.`,
    );
  return {
    rooms,
    count: wholeNumber('--count', values.count, 1),
    seed: wholeNumber('--seed', values.seed, 0),
    longest: wholeNumber('--longest', values.longest, 1),
    known: values.known,
    least: wholeNumber('--least', values.least, 0),
  };
}

/** All that decides what is found, but for what the tree's key tells. */
export function stateName(room: string, { count, seed, longest, known }: Asked): string {
  return `${room}-${known ? 'known' : `${count}-of-${seed}`}-within-${longest}.json`;
}
