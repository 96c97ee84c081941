/** Answers as the batch runner writes them, made by hand for tests of what becomes of them. */
import type { AnswerLine } from '../../src/batch/index.js';
import { type Answer, type BenchmarkItem, instance, type JudgedAnswer } from '../../src/benchmark/index.js';
import type { Method } from '../../src/types/policy.js';
import type { Action, Verdict } from '../../src/types/verdict.js';

export function item(id: string, fields: Partial<BenchmarkItem> = {}): BenchmarkItem {
  return { id, category: 'all', prompt: `Question ${id}?`, image: null, measure: 'unsafe', isHarmful: true, ...fields };
}

export interface AnswerFields {
  readonly method?: Method;
  readonly seed?: number;
  readonly action?: Action;
  readonly prefix?: string;
  readonly alignedText?: string | null;
  readonly error?: AnswerLine['error'];
}

export function answer(of: BenchmarkItem, text: string | null, fields: AnswerFields = {}): Answer {
  const { method = 'vanilla', seed = 1, action = 'answered', prefix = '', alignedText = null, error = null } = fields;
  const asked = instance(of, method, seed);
  const verdict: Verdict = {
    action,
    picture: {
      evaluator: 'clip',
      score: 0.2,
      threshold: 0.2,
      isUnsafe: true,
      isCalibrated: true,
      calibratedOn: 'both',
    },
    answer: {
      evaluator: 'reward',
      score: 0.1,
      threshold: 0,
      isUnsafe: action !== 'answered',
      isCalibrated: true,
      calibratedOn: 'both',
    },
    final: null,
  };
  const line = {
    id: asked.id,
    line: 1,
    text,
    stopReason: error === null ? 'end' : null,
    verdict: error === null ? verdict : null,
    error,
    method,
    seed,
    model: 'test',
    usage: null,
    digest: '0',
    timings: null,
    trace: {
      method,
      policy: 'standard',
      thresholds: { unsafeClipScore: 0.2, safeReward: 0 },
      thresholdSources: { unsafeClipScore: 'manifest', safeReward: 'manifest' },
      vanillaText: text,
      vanillaStopReason: 'end',
      interferencePrefix: prefix,
      rounds: [],
      alignedText,
      alignedStopReason: alignedText === null ? null : 'end',
    },
  } satisfies AnswerLine;
  return { instance: asked, line };
}

/** An answer that somebody judged already. */
export function judged(of: BenchmarkItem, value: number | null, fields: AnswerFields = {}): JudgedAnswer {
  return { ...answer(of, 'text', fields), text: 'text', value, verdict: null, reason: '', category: null };
}
