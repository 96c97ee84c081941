/** What came of it, for people: a table by room, and every fault that nobody saw. */
import { lineOf, told } from './fault.js';
import type { Planting } from './plant-room.js';
import type { Tree } from './tree.js';

interface Counts {
  /** Those that the compiler takes. */
  readonly planted: number;
  readonly seen: number;
}

function countsOf({ tried }: Pick<Planting, 'tried'>): Counts {
  const count = (is: string) => tried.filter(({ outcome }) => outcome.is === is).length;
  return { planted: tried.length - count('refused'), seen: count('seen') };
}

/** Whether so many percent of the room's faults are seen; of none that were planted, none is. */
export function isSeen(planting: Pick<Planting, 'tried'>, percent: number): boolean {
  const { planted, seen } = countsOf(planting);
  return percent === 0 || (planted > 0 && 100 * seen >= percent * planted);
}

export function report(tree: Tree, plantings: readonly Planting[]): string {
  const rows = plantings.map((planting) => {
    const { planted, seen } = countsOf(planting);
    const share = planted === 0 ? '' : `${Math.round((100 * seen) / planted)} %`;
    return `| ${planting.room} | ${planting.faultCount} | ${planted} | ${seen} | ${share} |`;
  });
  const head = ['| room | faults there are | planted | seen | share |', '| --- | --- | --- | --- | --- |'];
  return `${[...head, ...rows].join('\n')}\n${plantings.map((planting) => survivors(tree, planting)).join('')}`;
}

function survivors(tree: Tree, { room, tried, leftOut }: Planting): string {
  const unseen = tried.flatMap(({ fault, outcome }) => {
    if (outcome.is !== 'unseen') return [];
    const text = tree.text(fault.file);
    const { before, after } = told(text, fault);
    const by = outcome.tests.length === 0 ? 'no test comes there' : `${outcome.tests.length} tests come there`;
    return [`\n${fault.file}:${lineOf(text, fault)} (${fault.kind}; ${by})\n  - ${before}\n  + ${after}\n`];
  });
  const without = leftOut.length === 0 ? '' : `Not asked, red without a fault or too long: ${leftOut.join(', ')}\n`;
  return `\n${room}: ${unseen.length} not seen\n${without}${unseen.join('')}`;
}
