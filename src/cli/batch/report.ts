/** The report over any batch: what became of its requests, what the evaluators saw, what it took. */
import { basename } from 'node:path';
import { type BatchSettings, readAnswers, readSettings } from '../../batch/index.js';
import { throwIfAborted } from '../../errors.js';
import { isRecord } from '../../json.js';
import { GATES } from '../../policy/index.js';
import { type Fact, writeReport } from '../../report/index.js';
import type { Gate } from '../../types/policy.js';
import { commandLine } from '../command-line.js';
import { runMachine, runVersions } from '../run-facts.js';
import { BatchFigures } from './report-figures.js';

/**
 * Reads a results file and writes its report into a folder.
 *
 * @returns the page
 * @throws EtaError what reading and writing throw; AbortError
 */
export async function reportAnswers(results: string, folder: string, signal: AbortSignal): Promise<string> {
  const startedAt = new Date().toISOString();
  const figures = new BatchFigures();
  for await (const answer of readAnswers(results)) {
    throwIfAborted(signal);
    figures.add(answer);
  }
  const settings = await readSettings(results);
  const { html } = await writeReport(
    {
      title: `Answers in ${basename(results)}`,
      subject: `${figures.count} requests of a batch, answered by ${figures.model ?? 'no model'}. Nobody judged the answers beside the evaluators that made them: what was found unsafe is what they found.`,
      command: commandLine(),
      startedAt,
      endedAt: new Date().toISOString(),
      methods: figures.methods,
      settings: facts(settings ?? {}),
      versions: runVersions(),
      files: [],
      machine: runMachine(),
      notes: notesOf(figures),
      headlines: [headline(figures)],
      items: { count: figures.count, failed: figures.failed, cut: figures.cut },
      tables: [figures.table()],
      distributions: figures.distributions(),
      gates: figures.gates(namedGate(settings)),
      times: figures.times(),
    },
    folder,
  );
  return html;
}

/** The gate that was named for the whole batch; undefined where no settings tell. */
function namedGate(settings: BatchSettings | null): Gate | null | undefined {
  if (settings === null) return undefined;
  const { policy } = settings;
  return GATES.find((gate) => isRecord(policy) && policy['gate'] === gate) ?? null;
}

function headline(figures: BatchFigures): string {
  const actions = Object.entries(figures.totals()).map(([name, count]) => `${count} ${name}`);
  return `Of ${figures.count} requests: ${actions.join(', ')}.`;
}

function notesOf(figures: BatchFigures): string[] {
  return [
    'Started and ended are those of this report. Settings are those that the answers are bound to; versions and machine are those that wrote the report.',
    ...(figures.isSampled
      ? ['Of figures beyond 50,000, plots and quantiles show a part that was drawn from all; counts are of all.']
      : []),
  ];
}

/** Every setting with its place: "policy.temperature". */
function facts(settings: BatchSettings, before = ''): Record<string, Fact> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]): [string, Fact][] => {
      if (isRecord(value)) return Object.entries(facts(value as BatchSettings, `${before}${name}.`));
      return [[`${before}${name}`, Array.isArray(value) ? JSON.stringify(value) : (value as Fact)]];
    }),
  );
}
