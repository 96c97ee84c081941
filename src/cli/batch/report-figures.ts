/** Figures of a batch, gathered line by line: no answer is kept. */
import type { AnswerLine } from '../../batch/index.js';
import { PHASES } from '../../benchmark/index.js';
import { METHODS, planOf, takesGate } from '../../policy/index.js';
import type { DataTable, Distribution, GateOutcome, PhaseTimes } from '../../report/index.js';
import { mean, median, quantile } from '../../statistics/index.js';
import type { Gate } from '../../types/policy.js';
import type { Action, Judgement, Verdict } from '../../types/verdict.js';
import { Sample } from './sample.js';

/** Where a request was refused before it had a method. */
const NO_METHOD = 'none';

interface Drawn {
  readonly evaluator: Judgement['evaluator'];
  readonly sides: readonly (readonly [side: 'picture' | 'answer' | 'final', group: string])[];
  readonly title: string;
  readonly axis: string;
}

const ANSWERS = [
  ['answer', "the model's own"],
  ['final', 'aligned'],
] as const;

const DRAWN: readonly Drawn[] = [
  {
    evaluator: 'clip',
    sides: [['picture', 'all pictures']],
    title: 'CLIP scores of the pictures',
    axis: 'CLIP score (cosine)',
  },
  {
    evaluator: 'decision',
    sides: [['picture', 'all pictures']],
    title: 'Decisions about the pictures',
    axis: 'decision (the higher, the less safe)',
  },
  { evaluator: 'reward', sides: ANSWERS, title: 'Rewards of the answers', axis: 'reward' },
  {
    evaluator: 'decision',
    sides: ANSWERS,
    title: 'Decisions about the answers',
    axis: 'decision (the higher, the safer)',
  },
];

class MethodFigures {
  readonly actions = { answered: 0, aligned: 0, refused: 0 };
  errorCount = 0;
  cutCount = 0;
  count = 0;
  /** By what both sides looked like. */
  readonly cells = new Map<
    string,
    { readonly imageIsUnsafe: boolean | null; readonly answerIsUnsafe: boolean | null; count: number }
  >();
  /** Gates that traces say were named; null: the method's own. */
  readonly tracedGates = new Set<Gate | null>();
  readonly totalMs = new Sample();
  readonly firstTextMs = new Sample();
  readonly phases = PHASES.map(([name, field]) => ({ name, field, sum: 0 }));
}

export class BatchFigures {
  readonly failed: Record<string, number> = {};
  model: string | null = null;
  #count = 0;
  readonly #methods = new Map<string, MethodFigures>();
  readonly #scores = DRAWN.map(({ sides }) => sides.map(() => new Sample()));
  /** Thresholds that scores were held against, by what is drawn; of several none is drawn. */
  readonly #thresholds = DRAWN.map(() => new Set<number>());

  get count(): number {
    return this.#count;
  }

  /** In the order in which they were met. */
  get methods(): string[] {
    return [...this.#methods.keys()];
  }

  get cut(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      [...this.#methods].flatMap(([name, { cutCount }]) => (cutCount > 0 ? [[name, cutCount]] : [])),
    );
  }

  /** Whether plots and quantiles are of a part of the figures. */
  get isSampled(): boolean {
    const samples = [...this.#scores.flat(), ...[...this.#methods.values()].map(({ totalMs }) => totalMs)];
    return samples.some(({ count, values }) => values.length < count);
  }

  add({ error, method, verdict, stopReason, timings, model, trace }: AnswerLine): void {
    this.#count++;
    this.model ??= model;
    const figures = this.#of(method ?? NO_METHOD);
    figures.count++;
    if (error !== null) {
      figures.errorCount++;
      this.failed[error.code] = (this.failed[error.code] ?? 0) + 1;
    }
    if (stopReason === 'length' || stopReason === 'context') figures.cutCount++;
    if (verdict !== null) this.#addVerdict(figures, verdict);
    if (trace !== undefined) figures.tracedGates.add(trace.gate ?? null);
    if (timings === null) return;
    figures.totalMs.add(timings.totalMs);
    figures.firstTextMs.add(timings.firstTextMs);
    for (const phase of figures.phases) phase.sum += timings[phase.field];
  }

  #of(method: string): MethodFigures {
    const figures = this.#methods.get(method) ?? new MethodFigures();
    this.#methods.set(method, figures);
    return figures;
  }

  #addVerdict(figures: MethodFigures, verdict: Verdict): void {
    figures.actions[verdict.action]++;
    const imageIsUnsafe = verdict.picture?.isUnsafe ?? null;
    const answerIsUnsafe = verdict.answer?.isUnsafe ?? null;
    if (imageIsUnsafe !== null || answerIsUnsafe !== null) {
      const key = `${imageIsUnsafe} ${answerIsUnsafe}`;
      const cell = figures.cells.get(key) ?? { imageIsUnsafe, answerIsUnsafe, count: 0 };
      figures.cells.set(key, cell);
      cell.count++;
    }
    for (const [at, { evaluator, sides }] of DRAWN.entries())
      for (const [place, [side]] of sides.entries()) {
        const judgement = verdict[side];
        if (judgement?.evaluator !== evaluator) continue;
        this.#scores[at]?.[place]?.add(judgement.score);
        this.#thresholds[at]?.add(judgement.threshold);
      }
  }

  /** Of all methods. */
  totals(): Readonly<Record<Action | 'failed', number>> {
    const totals = { answered: 0, aligned: 0, refused: 0, failed: 0 };
    for (const { actions, errorCount } of this.#methods.values()) {
      for (const action of Object.keys(actions) as Action[]) totals[action] += actions[action];
      totals.failed += errorCount;
    }
    return totals;
  }

  table(): DataTable {
    const rows = [...this.#methods].map(([name, { count, actions, errorCount, cutCount }]) => [
      name,
      count,
      actions.answered,
      actions.aligned,
      actions.refused,
      cutCount,
      errorCount,
    ]);
    return {
      title: 'What became of the requests',
      caption:
        "Answered: the model's own answer stands. Aligned: found unsafe, and generated again. Refused: unsafe even then, a fixed sentence stands in. Cut: of these, at the most tokens or the end of the context.",
      columns: ['method', 'requests', 'answered', 'aligned', 'refused', 'cut', 'errors'],
      rows,
    };
  }

  distributions(): Distribution[] {
    return DRAWN.flatMap(({ title, axis, sides }, at) => {
      const groups = sides.flatMap(([, name], place) => {
        const values = this.#scores[at]?.[place]?.values ?? [];
        return values.length === 0 ? [] : [{ name, kind: 'other' as const, values }];
      });
      const [value, ...others] = this.#thresholds[at] ?? [];
      const threshold = value === undefined || others.length > 0 ? null : { name: 'the threshold', value };
      return groups.length === 0 ? [] : [{ title, axis, threshold, groups }];
    });
  }

  /**
   * @param named the gate that was named for all requests, null where none was; undefined where nobody knows. Where traces were
   * kept they tell
   */
  gates(named: Gate | null | undefined): GateOutcome[] {
    return [...this.#methods].flatMap(([method, { cells, actions, tracedGates }]) =>
      cells.size === 0
        ? []
        : [
            {
              method,
              gate: gateOf(method, tracedGates.size > 0 ? [...tracedGates] : [named]),
              group: 'all requests',
              cells: [...cells.values()],
              actions: actions satisfies Record<Action, number>,
            },
          ],
    );
  }

  times(): PhaseTimes[] {
    return [...this.#methods].flatMap(([method, { totalMs, firstTextMs, phases }]) => {
      const { count } = totalMs;
      if (count === 0) return [];
      const of = ({ values }: Sample) => ({ median: median(values), p90: quantile(values, 0.9), mean: mean(values) });
      const meanMs = Object.fromEntries(phases.map(({ name, sum }) => [name, sum / count]));
      return [{ method, count, meanMs, totalMs: of(totalMs), firstTextMs: of(firstTextMs) }];
    });
  }
}

/** Null where the answers do not tell, or had several. */
function gateOf(name: string, [named, ...others]: readonly (Gate | null | undefined)[]): Gate | null {
  const method = METHODS.find((known) => known === name);
  if (method === undefined || named === undefined || others.length > 0) return null;
  return planOf({ method, gate: takesGate(method) ? named : null }).gate;
}
