/** A calibration as a report: both distributions with the threshold, and what it does. */
import type { Cell, DataTable, Distribution, HashedFile, ReportData } from '../report/index.js';
import { type CalibratedPart, type Calibration, calibratedParts, type Subject } from './calibration.js';
import { LOW_RULE, ruleText } from './cut.js';
import type { CutRates } from './fit.js';
import type { CalibrationRun } from './thresholds.js';

export interface ReportRun extends CalibrationRun {
  readonly startedAt: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: ReportData['machine'];
}

/** The report on whatever was calibrated. */
export function calibrationReport(calibration: Calibration, run: ReportRun): ReportData {
  const parts = calibratedParts(calibration);
  const models = parts.map(({ calibrated, what }) => `${calibrated.subject.name} on ${countText(calibrated, what)}`);
  const warnings = parts.flatMap(({ calibrated }) => calibrated.fit.warnings);
  const unread = calibration.unread.map(({ name, reason }) => `Not read: ${name}: ${reason}`);
  return {
    title: 'Calibration',
    subject: `Thresholds of ${models.join(', and of ')}.`,
    command: run.command,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    methods: [],
    settings: settingsOf(parts),
    versions: run.versions,
    files: parts.flatMap(({ calibrated, score }) => filesOf(calibrated.subject, score)),
    machine: run.machine,
    notes: [...warnings, ...calibration.leftOut, ...unread, ...parts.map(howJudged).filter(isFirst)],
    tables: parts.flatMap(tablesOf),
    distributions: parts.map(distributionOf),
  };
}

const isFirst = (note: string, at: number, notes: readonly string[]) => notes.indexOf(note) === at;

function howJudged({ calibrated }: CalibratedPart): string {
  return calibrated.fit.calibratedOn === 'safe' ? SAFE_ALONE : HELD_OUT;
}

const SAFE_ALONE =
  'From safe ones alone: with 95 % confidence at most the chosen share of all such is flagged, whatever their distribution (an order statistic; Wilks 1941). Nothing is known of unsafe ones.';

const HELD_OUT =
  'Held out: each score is judged by the threshold chosen without its fifth of the scores. The rates on the scores that chose the threshold flatter it.';

function tablesOf({ calibrated: { fit, current }, score, threshold, what }: CalibratedPart): DataTable[] {
  const row = (name: string, value: Cell, found: CutRates): Cell[] => [
    name,
    value,
    found.unsafeFound.count === 0 ? 'unknown' : found.unsafeFound,
    found.safeFlagged,
  ];
  const shares: Cell[][] = [row(`chosen: ${ruleText(fit.rule)}`, null, fit.own)];
  const isSafeAlone = fit.calibratedOn === 'safe';
  if (fit.heldOut !== null)
    shares.push(row(isSafeAlone ? 'the same, of others' : 'the same, held out', null, fit.heldOut));
  if (fit.low !== null) {
    shares.push(row(`low: ${ruleText(LOW_RULE)}`, null, fit.low.own));
    if (fit.low.heldOut !== null) shares.push(row('the same, held out', null, fit.low.heldOut));
  }
  if (fit.current !== null && current !== null)
    shares.push(row(`in force: ${shown(current.value)} (${current.source})`, null, fit.current));
  return [
    {
      title: `Threshold of the ${score}`,
      caption: isSafeAlone
        ? `${threshold} this value, the end of the quantile's interval that flags fewest; each end holds with 95 % confidence.`
        : `${threshold} this value; 95 % interval of the threshold by drawing the ${what} again, of the AUC by Newcombe's score method.`,
      columns: ['', threshold, 'AUC'],
      rows: [
        [ruleText(fit.rule), fit.threshold, isSafeAlone ? 'unknown' : fit.auc],
        ...(fit.low === null ? [] : [[`low: ${ruleText(LOW_RULE)}`, fit.low.threshold, null]]),
      ],
    },
    {
      title: `What the threshold of the ${score} does`,
      caption: isSafeAlone
        ? `Shares of the ${what} with Wilson's 95 % interval; of others what is to be expected, each end with 95 % confidence.`
        : `Shares of the ${what} with Wilson's 95 % interval.`,
      columns: ['threshold', 'unsafe found', 'safe flagged'],
      rows: shares.map(([name = '', , found = null, flagged = null]) => [name, found, flagged]),
      format: 'percent',
    },
  ];
}

function distributionOf({ calibrated: { fit, safe, unsafe }, score, threshold, axis }: CalibratedPart): Distribution {
  return {
    title: `${score[0]?.toUpperCase()}${score.slice(1)} of ${fit.calibratedOn === 'safe' ? 'safe ones alone' : 'both classes'}`,
    axis,
    threshold: Number.isNaN(fit.threshold.value) ? null : { name: threshold, value: fit.threshold.value },
    groups: [
      { name: 'safe', kind: 'safe', values: safe.map(({ score }) => score) },
      ...(fit.calibratedOn === 'safe'
        ? []
        : [{ name: 'unsafe', kind: 'unsafe' as const, values: unsafe.map(({ score }) => score) }]),
    ],
    ...(fit.calibratedOn === 'safe' ? {} : { auc: fit.auc }),
  };
}

function settingsOf(parts: readonly CalibratedPart[]): ReportData['settings'] {
  const entries = parts.flatMap(({ calibrated: { subject, prompt, fit, current }, score }) => [
    [`${score}: model`, subject.name],
    [`${score}: SHA-256 that the threshold is bound to`, subject.sha256],
    [`${score}: calibrated on`, fit.calibratedOn],
    [`${score}: prompt`, prompt],
    [`${score}: rule`, ruleText(fit.rule)],
    [`${score}: threshold in force`, current === null ? 'none' : `${shown(current.value)} (${current.source})`],
  ]);
  return Object.fromEntries(entries) as ReportData['settings'];
}

function filesOf({ files }: Subject, score: string): HashedFile[] {
  return files.map(({ path, sizeBytes, sha256 }) => ({
    role: `model of the ${score}`,
    name: path,
    sizeBytes,
    sha256,
  }));
}

/** How many of what; that there were no unsafe ones is said in words. */
function countText({ safe, unsafe, fit }: CalibratedPart['calibrated'], what: string): string {
  return fit.calibratedOn === 'safe'
    ? `${safe.length} safe ${what} alone`
    : `${safe.length} safe and ${unsafe.length} unsafe ${what}`;
}

const shown = (value: number) => String(Number(value.toPrecision(4)));
