/** One page of what the proofs came to, for people. */
import type { Proof, ProofResult } from './proof.js';

export interface PageFacts {
  /** The commit whose tree was tried. */
  readonly commit: string;
  readonly processor: string;
  readonly coreCount: number;
}

/** A proof, and what came of it; null: not run yet. */
export type Row = readonly [Proof, ProofResult | null];

export function page(rows: readonly Row[], { commit, processor, coreCount }: PageFacts): string {
  const table = rows.map(([{ name, shows, command }, result]) => {
    const cells = [
      name,
      shows,
      result?.outcome ?? 'not run',
      timeOf(result),
      loadOf(result),
      `\`${command.join(' ')}\``,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const ends = rows.flatMap(([{ name }, result]) =>
    result === null ? [] : [`\n## ${name}: ${result.outcome}\n`, ...result.lastLines.map((line) => `    ${line}`)],
  );
  return `${[
    '# Proofs',
    '',
    `Commit ${commit}, ${coreCount} cores of ${processor}.`,
    '',
    '| | shows | result | time | load, before and after | command |',
    '| --- | --- | --- | --- | --- | --- |',
    ...table,
    ...ends,
  ].join('\n')}\n`;
}

function timeOf(result: ProofResult | null): string {
  if (result === null) return '';
  return result.seconds < 120 ? `${Math.round(result.seconds)} s` : `${Math.round(result.seconds / 60)} min`;
}

function loadOf(result: ProofResult | null): string {
  return result === null ? '' : result.load.map((load) => load.toFixed(1)).join(', ');
}
