/** A source that tells which of its faults' places a program came to, before any fault is planted. */
import type { Fault } from './fault.js';

interface Insertion {
  readonly at: number;
  readonly text: string;
  /** Of what opens at one place the longer stands first; what closes there stands before all that opens. */
  readonly order: number;
}

/**
 * @param log file to which the numbers are written, a line each, once a process and thread
 * @param faults of this text, by number
 */
export function withWitnesses(text: string, faults: ReadonlyMap<number, Fault>, log: string): string {
  const insertions: Insertion[] = [];
  for (const [number, { site }] of faults) {
    if (site === undefined) continue;
    const [open, close] = site.isStatement ? [`{ etaSeen(${number});`, '}'] : [`(etaSeen(${number}), `, ')'];
    const length = site.end - site.start;
    insertions.push({ at: site.start, text: open, order: text.length * 2 - length });
    insertions.push({ at: site.end, text: close, order: length });
  }
  insertions.sort((a, b) => a.at - b.at || a.order - b.order);
  let made = '';
  let from = 0;
  for (const { at, text: inserted } of insertions) {
    made += text.slice(from, at) + inserted;
    from = at;
  }
  return `${head(log)}${made}${text.slice(from)}`;
}

/** On the first line, so that the others keep their numbers. */
function head(log: string): string {
  return (
    `import { appendFileSync as etaAppend } from 'node:fs'; const etaHeard = new Set<number>(); ` +
    'function etaSeen(number: number): void { if (etaHeard.has(number)) return; etaHeard.add(number); ' +
    `etaAppend(${JSON.stringify(log)}, number + '\\n'); } `
  );
}
