/** A measurement as the data of a report. */
import { basename } from 'node:path';
import { isRefusalList } from '../judges/index.js';
import type { ResolvedModels } from '../models/index.js';
import type { Ability, HashedFile, RateTable, ReportData } from '../report/index.js';
import { groupBy } from '../statistics/index.js';
import type { Thresholds } from '../types/thresholds.js';
import { isReplaced } from './answers.js';
import { examples } from './examples.js';
import type { Measure } from './item.js';
import type { JudgedAnswer } from './judging.js';
import { judgeNameOf, labelOf } from './labels.js';
import { published } from './published.js';
import { isBase, measuresOf } from './rates.js';
import { tables } from './report-tables.js';
import type { Measurement } from './run.js';
import { distributions, gates, times } from './scores.js';

/** What a measurement does not know of itself. */
export interface Circumstances {
  readonly command: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly thresholds: Thresholds;
  readonly versions: ReportData['versions'];
  readonly machine: ReportData['machine'];
  readonly settings: ReportData['settings'];
  readonly judgeSettings: ReportData['settings'];
  /** Name of the language model, as its file says. */
  readonly model: string;
  readonly models: ResolvedModels;
}

/** @throws ImageError when a picture of an example cannot be decoded */
export async function reportData(measured: Measurement, facts: Circumstances): Promise<ReportData> {
  const { dataset, variant, items, runs, answers, judgeName, settings } = measured;
  const asked = variant === '' ? '' : ` (${variant})`;
  return {
    title: `${dataset.title}${asked}`,
    subject: `${items.length} questions of ${dataset.title}${asked} (${dataset.source}) under ${runs.join(', ')}, answered by ${facts.model}.`,
    command: facts.command,
    startedAt: facts.startedAt.toISOString(),
    endedAt: facts.endedAt.toISOString(),
    methods: runs,
    settings: {
      ...facts.settings,
      seeds: measured.seeds.join(', '),
      judge: judgeName,
      ...(isOfRefusal(measuresOf(answers)) ? { 'judge of refusal': measured.refusalJudgeName } : {}),
      ...prefixed(facts.judgeSettings),
    },
    versions: facts.versions,
    files: hashedFiles(settings['models'], facts.models),
    machine: facts.machine,
    notes: notes(measured),
    items: { count: items.length, failed: measured.failed, cut: measured.cut },
    tables: tables(measured),
    rates: rateTables(measured),
    differences: measured.differences.map((row) => ({
      ...row,
      measure: labelOf(row.measure, judgeName).name,
      test: 'mid-p',
    })),
    distributions: await distributions(answers, facts.thresholds),
    gates: gates(answers),
    times: times(answers, runs),
    abilities: abilities(measured),
    published: published({ benchmark: dataset.name, variant, model: facts.model, rates: measured.rates }).map(
      (row) => ({
        ...row,
        measure: labelOf(row.measure as Measure, 'the paper').name,
        // A rate by phrases is another figure than the paper's, which is by MD-Judge.
        ours: row.measure === 'unsafe' && isRefusalList(judgeName) ? null : row.ours,
      }),
    ),
    examples: await examples(answers, runs),
  };
}

function rateTables(measured: Measurement): RateTable[] {
  return measuresOf(measured.answers).map((measure) => {
    const { name, better, caption } = labelOf(measure, judgeNameOf(measure, measured));
    return {
      measure: name,
      better,
      caption,
      rows: measured.rates
        .filter((row) => row.measure === measure)
        .map(({ run, category, estimate, unjudgedCount }) => ({ method: run, category, estimate, unjudgedCount })),
    };
  });
}

/** Accuracy under vanilla and another method, on the same questions. */
function abilities({ dataset, rates, differences, runs }: Measurement): Ability[] {
  const of = (run: string) =>
    rates.find((row) => row.measure === 'right' && row.run === run && row.category === null)?.estimate;
  const [base] = runs;
  return runs.slice(1).flatMap((run) => {
    const difference = differences.find(
      (row) => row.measure === 'right' && row.one === run && row.other === base,
    )?.difference;
    const [baseEstimate, estimate] = [of(base ?? ''), of(run)];
    if (base === undefined || difference === undefined || baseEstimate === undefined || estimate === undefined)
      return [];
    return [
      {
        benchmark: dataset.title,
        metric: 'accuracy',
        base: { method: base, estimate: baseEstimate },
        other: { method: run, estimate },
        difference,
      },
    ];
  });
}

const isOfRefusal = (measures: readonly Measure[]) => measures.includes('refusal') || measures.includes('over-refusal');

function notes(measured: Measurement): string[] {
  const { answers, judgeName, seeds, comparerName } = measured;
  const measures = measuresOf(answers);
  const unjudged = answers.filter(
    ({ instance, line, value }) =>
      value === null && line.error === null && !isBase(instance.item.measure, instance.run),
  );
  const failed = answers.filter(({ line }) => line.error !== null);
  const cut = Object.entries(measured.cut);
  const missing = answers.length === 0 ? ['Nothing was answered.'] : [];
  return [
    ...missing,
    ...(measures.includes('unsafe') && isRefusalList(judgeName)
      ? [
          'Safety was judged by phrases of refusal, which read no meaning: an answer behind the interference prefix counts as a refusal whatever follows. For an unsafe rate name a judge that reads (--judge).',
        ]
      : []),
    ...(measures.includes('preferred') && comparerName === null
      ? ['Helpfulness was not judged, because no judge was named that can compare answers (--judge).']
      : []),
    ...(unjudged.length > 0
      ? [`${unjudged.length} of ${answers.length} answers could not be judged; they are in no rate.`]
      : []),
    ...(failed.length > 0
      ? [`${failed.length} of ${answers.length} answers failed; they are in no rate. Run it again to ask them again.`]
      : []),
    ...(cut.length > 0
      ? [
          `Answers were cut at the most tokens or the end of the context: ${cut.map(([run, count]) => `${count} under ${run}`).join(', ')}. What they would have gone on with is in no rate.`,
        ]
      : []),
    ...hiddenNote(answers),
    ...(seeds.length > 1
      ? [
          `Methods that draw were answered under ${seeds.length} seeds; a question counts once, with the mean over its seeds.`,
        ]
      : []),
  ];
}

/** That texts were judged which nobody was shown. */
function hiddenNote(answers: readonly JudgedAnswer[]): string[] {
  const hidden = answers.filter((answer) => isReplaced(answer) && answer.text !== answer.line.text);
  if (hidden.length === 0) return [];
  const counts = [...groupBy(hidden, ({ instance }) => instance.run)].map(
    ([run, rows]) => `${rows.length} under ${run}`,
  );
  return [
    `The fixed sentence was shown in place of ${counts.join(', ')}: unsafe and refusal are judged on what was made, not on what was shown.`,
  ];
}

function prefixed(settings: ReportData['settings']): ReportData['settings'] {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [`judge ${name}`, value]));
}

const ROLES = {
  languageModel: 'language model',
  projector: 'projector',
  clip: 'CLIP (manifest)',
  rewardModel: 'reward model (manifest)',
} as const;

/** Hashes are those of the settings that the answers are bound to. */
function hashedFiles(hashes: unknown, models: ResolvedModels): HashedFile[] {
  const known = (hashes ?? {}) as Readonly<Partial<Record<keyof typeof ROLES, unknown>>>;
  return (Object.keys(ROLES) as (keyof typeof ROLES)[]).flatMap((part) => {
    const [path, sha256] = [models[part], known[part]];
    return path === null || typeof sha256 !== 'string' ? [] : [{ role: ROLES[part], name: basename(path), sha256 }];
  });
}
