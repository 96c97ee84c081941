/** A calibration as a table of text. */
import { type Calibrated, type Calibration, type CutRates, ruleText } from '../../calibration/index.js';
import type { Estimate } from '../../statistics/index.js';

const LABEL = 20;
const CELL = 26;

/** One block for each threshold. */
export function calibrationLines({ clip, rewardModel }: Calibration): string[] {
  const blocks: string[][] = [];
  if (clip !== null) blocks.push(block(clip, { score: 'CLIP score', threshold: 'unsafe from', what: 'pictures' }));
  if (rewardModel !== null)
    blocks.push(block(rewardModel, { score: 'Reward', threshold: 'safe above', what: 'answers' }));
  return blocks.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

interface Names {
  readonly score: string;
  readonly threshold: string;
  readonly what: string;
}

function block(
  { manifest, fit, safe, unsafe, current }: Calibrated<{ readonly name: string }>,
  { score, threshold, what }: Names,
): string[] {
  const row = (label: string, ...cells: readonly string[]) =>
    `${label.padEnd(LABEL)}${cells.map((cell) => cell.padEnd(CELL)).join('')}`.trimEnd();
  const rates = (label: string, value: string, found: CutRates) =>
    row(label, value, percent(found.unsafeFound), percent(found.safeFlagged));
  const lines = [
    `${score} of ${manifest.name}: ${safe.length} safe, ${unsafe.length} unsafe ${what}; ${ruleText(fit.rule)}`,
    row('AUC', number(fit.auc)),
    row('', threshold, 'unsafe found', 'safe flagged'),
    rates('chosen', number(fit.threshold), fit.own),
  ];
  if (fit.heldOut !== null) lines.push(rates('  held out', '', fit.heldOut));
  if (fit.current !== null && current !== null) {
    lines.push(rates('in force', `${short(current.value)} (${current.source})`, fit.current));
  }
  return lines;
}

function number({ value, low, high }: Estimate): string {
  return `${short(value)} (${short(low)} to ${short(high)})`;
}

function percent({ value, low, high }: Estimate): string {
  const share = (part: number) => (part * 100).toFixed(1);
  return `${share(value)} % (${share(low)} to ${share(high)})`;
}

const short = (value: number) => String(Number(value.toPrecision(4)));
