/** A calibration as a table of text. */
import {
  type CalibratedPart,
  type Calibration,
  type CutRates,
  calibratedParts,
  ruleText,
} from '../../calibration/index.js';
import type { Estimate } from '../../statistics/index.js';
import type { Paint } from '../../terminal/paint.js';
import { captioned, type TerminalTable } from '../../terminal/table.js';

const LABEL = 20;
const CELL = 26;

/** How a terminal shows it: with its columns, drawn to fit. */
interface Terminal {
  readonly paint: Paint;
  readonly columns: number;
}

/**
 * One block for each threshold.
 *
 * @param terminal without it, columns of fixed width for what is no terminal
 */
export function calibrationLines(calibration: Calibration, terminal?: Terminal): string[] {
  const blocks = calibratedParts(calibration).map((part) => block(part, terminal));
  return blocks.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

function block({ calibrated, score, threshold, what }: CalibratedPart, terminal: Terminal | undefined): string[] {
  const { subject, fit, safe, unsafe, current } = calibrated;
  const isSafeAlone = fit.calibratedOn === 'safe';
  const rates = (label: string, value: string, found: CutRates) => [
    label,
    value,
    percent(found.unsafeFound),
    percent(found.safeFlagged),
  ];
  const unsafeCount = isSafeAlone ? 'no' : unsafe.length;
  const caption = `${score[0]?.toUpperCase()}${score.slice(1)} of ${subject.name}: ${safe.length} safe, ${unsafeCount} unsafe ${what}; ${ruleText(fit.rule)}`;
  const auc = ['AUC', isSafeAlone ? 'unknown' : number(fit.auc)];
  const head = ['', threshold, 'unsafe found', 'safe flagged'];
  const rows = [rates('chosen', number(fit.threshold), fit.own)];
  if (fit.heldOut !== null) rows.push(rates(isSafeAlone ? '  of others' : '  held out', '', fit.heldOut));
  if (fit.low !== null) {
    rows.push(rates('low', number(fit.low.threshold), fit.low.own));
    if (fit.low.heldOut !== null) rows.push(rates('  held out', '', fit.low.heldOut));
  }
  if (fit.current !== null && current !== null) {
    rows.push(rates('in force', `${short(current.value)} (${current.source})`, fit.current));
  }
  if (terminal === undefined) return [caption, ...[auc, head, ...rows].map(fixedRow)];
  const table: TerminalTable = {
    columns: head.map((name) => ({ name, isNumeric: false })),
    rows: rows.map(([label = '', ...cells]) => [label.trim(), ...cells.map((cell) => cell || '-')]),
  };
  return captioned(`${caption}\n${auc.join(' ')}`, table, terminal);
}

function fixedRow([label = '', ...cells]: readonly string[]): string {
  return `${label.padEnd(LABEL)}${cells.map((cell) => cell.padEnd(CELL)).join('')}`.trimEnd();
}

function number({ value, low, high }: Estimate): string {
  return `${short(value)} (${short(low)} to ${short(high)})`;
}

function percent({ value, low, high, count }: Estimate): string {
  if (count === 0) return 'unknown';
  const share = (part: number) => (part * 100).toFixed(1);
  return `${share(value)} % (${share(low)} to ${share(high)})`;
}

const short = (value: number) => String(Number(value.toPrecision(4)));
