/** Where the candidates of a search stand: rounds from left to right, candidates from top to bottom. */
import type { CandidateTrace, RoundTrace } from '../types/trace.js';

export interface Node {
  /** From 0. */
  readonly round: number;
  readonly index: number;
  readonly candidate: CandidateTrace;
  readonly isChosen: boolean;
  /** How many of its round say the same, itself among them. */
  readonly alikeCount: number;
  readonly left: number;
  readonly top: number;
}

/** From a chosen candidate (or the start) to a candidate of the next round. */
interface Edge {
  readonly key: string;
  /** Of an SVG path. */
  readonly path: string;
  readonly isChosen: boolean;
}

export interface TreeLayout {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
  readonly start: { readonly top: number };
  readonly columns: readonly {
    readonly left: number;
    readonly hiddenCount: number;
    /** Candidates that the search did without. */
    readonly undrawnCount: number;
  }[];
  readonly nodeWidth: number;
  readonly width: number;
  readonly height: number;
}

export const NODE_HEIGHT = 76;
export const START_WIDTH = 78;
export const HEAD_HEIGHT = 24;
const ROW_GAP = 8;
const COLUMN_GAP = 22;
const LEAST_WIDTH = 112;
const MOST_WIDTH = 190;

/** Candidates of a round that are drawn; the table has the others. */
const MOST_DRAWN = 12;

/** @param room pixels that the tree may take before it scrolls */
export function treeLayout(rounds: readonly RoundTrace[], room: number): TreeLayout {
  const columnCount = Math.max(1, rounds.length);
  const fitting = Math.floor((room - START_WIDTH) / columnCount) - COLUMN_GAP;
  const nodeWidth = Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, fitting));
  const drawn = rounds.map(drawnOf);
  const rowCount = Math.max(1, ...drawn.map(({ length }) => length));
  const height = HEAD_HEIGHT + rowCount * (NODE_HEIGHT + ROW_GAP) - ROW_GAP;
  const leftOf = (column: number) => START_WIDTH + COLUMN_GAP + column * (nodeWidth + COLUMN_GAP);
  const nodes: Node[] = [];
  const edges: Edge[] = [];
  const start = {
    top: HEAD_HEIGHT + rowCentre(drawn[0]?.findIndex(([, isChosen]) => isChosen) ?? 0) - NODE_HEIGHT / 2,
  };
  let from = { x: START_WIDTH, y: start.top + NODE_HEIGHT / 2 };
  for (const [round, shown] of drawn.entries()) {
    let next = from;
    for (const [row, [candidate, isChosen, index]] of shown.entries()) {
      const [left, top] = [leftOf(round), HEAD_HEIGHT + row * (NODE_HEIGHT + ROW_GAP)];
      const alikeCount = rounds[round]?.candidates.filter(({ text }) => text === candidate.text).length ?? 1;
      nodes.push({ round, index, candidate, isChosen, alikeCount, left, top });
      const to = { x: left, y: top + NODE_HEIGHT / 2 };
      edges.push({ key: `${round}.${index}`, path: curve(from, to), isChosen });
      if (isChosen) next = { x: left + nodeWidth, y: to.y };
    }
    from = next;
  }
  // The chosen path lies over the others.
  edges.sort((a, b) => Number(a.isChosen) - Number(b.isChosen));
  const columns = rounds.map(({ candidates, undrawnCount = 0 }, column) => ({
    left: leftOf(column),
    hiddenCount: candidates.length - (drawn[column]?.length ?? 0),
    undrawnCount,
  }));
  return { nodes, edges, start, columns, nodeWidth, width: leftOf(columnCount) - COLUMN_GAP, height };
}

/** In their order; of very many, the chosen one and the best beside it. */
function drawnOf({ candidates, chosen }: RoundTrace): (readonly [CandidateTrace, boolean, number])[] {
  const all = candidates.map((candidate, index) => [candidate, index === chosen, index] as const);
  if (all.length <= MOST_DRAWN) return all;
  const utility = ([{ utility }]: (typeof all)[number]) => utility ?? Number.NEGATIVE_INFINITY;
  const best = [...all].sort((a, b) => Number(b[1]) - Number(a[1]) || utility(b) - utility(a)).slice(0, MOST_DRAWN);
  return best.sort((a, b) => a[2] - b[2]);
}

function rowCentre(row: number): number {
  return Math.max(0, row) * (NODE_HEIGHT + ROW_GAP) + NODE_HEIGHT / 2;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function curve(from: Point, to: Point): string {
  const middle = (from.x + to.x) / 2;
  return `M${from.x} ${from.y}C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`;
}
