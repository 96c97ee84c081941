/** A calibration as a report: both distributions with the threshold, and what it does. */
import { modelDigest } from '../manifest/index.js';
import type { Cell, DataTable, Distribution, HashedFile, ReportData } from '../report/index.js';
import type { Calibrated, Calibration } from './calibrate.js';
import { ruleText } from './cut.js';
import type { CutRates } from './fit.js';
import type { CalibrationRun } from './thresholds.js';

export interface ReportRun extends CalibrationRun {
  readonly startedAt: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: ReportData['machine'];
}

interface Part {
  readonly calibrated: Calibrated<Parameters<typeof modelDigest>[0]>;
  readonly score: string;
  readonly threshold: string;
  readonly axis: string;
  readonly what: string;
}

/** The report on whatever was calibrated. */
export function calibrationReport(calibration: Calibration, run: ReportRun): ReportData {
  const parts = partsOf(calibration);
  const models = parts.map(
    ({ calibrated, what }) =>
      `${calibrated.manifest.name} on ${calibrated.safe.length} safe and ${calibrated.unsafe.length} unsafe ${what}`,
  );
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
    files: parts.flatMap(({ calibrated, score }) => filesOf(calibrated.manifest, score)),
    machine: run.machine,
    notes: [...warnings, ...calibration.leftOut, ...unread, HELD_OUT],
    tables: parts.flatMap(tablesOf),
    distributions: parts.map(distributionOf),
  };
}

const HELD_OUT =
  'Held out: each score is judged by the threshold chosen without its fifth of the scores. The rates on the scores that chose the threshold flatter it.';

function partsOf({ clip, rewardModel }: Calibration): Part[] {
  const parts: Part[] = [];
  if (clip !== null) {
    parts.push({
      calibrated: clip,
      score: 'CLIP score',
      threshold: 'unsafe from',
      axis: 'CLIP score (cosine)',
      what: 'pictures',
    });
  }
  if (rewardModel !== null) {
    parts.push({ calibrated: rewardModel, score: 'reward', threshold: 'safe above', axis: 'reward', what: 'answers' });
  }
  return parts;
}

function tablesOf({ calibrated: { fit, current }, score, threshold, what }: Part): DataTable[] {
  const row = (name: string, value: Cell, found: CutRates): Cell[] => [
    name,
    value,
    found.unsafeFound,
    found.safeFlagged,
  ];
  const shares: Cell[][] = [row(`chosen: ${ruleText(fit.rule)}`, null, fit.own)];
  if (fit.heldOut !== null) shares.push(row('the same, held out', null, fit.heldOut));
  if (fit.current !== null && current !== null)
    shares.push(row(`in force: ${shown(current.value)} (${current.source})`, null, fit.current));
  return [
    {
      title: `Threshold of the ${score}`,
      caption: `${threshold} this value; 95 % interval of the threshold by drawing the ${what} again, of the AUC by Newcombe's score method.`,
      columns: ['', threshold, 'AUC'],
      rows: [[ruleText(fit.rule), fit.threshold, fit.auc]],
    },
    {
      title: `What the threshold of the ${score} does`,
      caption: `Shares of the ${what} with Wilson's 95 % interval.`,
      columns: ['threshold', 'unsafe found', 'safe flagged'],
      rows: shares.map(([name = '', , found = null, flagged = null]) => [name, found, flagged]),
      format: 'percent',
    },
  ];
}

function distributionOf({ calibrated: { fit, safe, unsafe }, score, threshold, axis }: Part): Distribution {
  return {
    title: `${score[0]?.toUpperCase()}${score.slice(1)} of both classes`,
    axis,
    threshold: Number.isNaN(fit.threshold.value) ? null : { name: threshold, value: fit.threshold.value },
    groups: [
      { name: 'safe', kind: 'safe', values: safe.map(({ score }) => score) },
      { name: 'unsafe', kind: 'unsafe', values: unsafe.map(({ score }) => score) },
    ],
    auc: fit.auc,
  };
}

function settingsOf(parts: readonly Part[]): ReportData['settings'] {
  const entries = parts.flatMap(({ calibrated: { manifest, prompt, fit, current }, score }) => [
    [`${score}: model`, manifest.name],
    [`${score}: SHA-256 that the threshold is bound to`, modelDigest(manifest)],
    [`${score}: prompt`, prompt],
    [`${score}: rule`, ruleText(fit.rule)],
    [`${score}: threshold in force`, current === null ? 'none' : `${shown(current.value)} (${current.source})`],
  ]);
  return Object.fromEntries(entries) as ReportData['settings'];
}

function filesOf({ files }: Parameters<typeof modelDigest>[0], score: string): HashedFile[] {
  return Object.values(files)
    .flat()
    .map(({ path, sizeBytes, sha256 }) => ({ role: `model of the ${score}`, name: path, sizeBytes, sha256 }));
}

const shown = (value: number) => String(Number(value.toPrecision(4)));
