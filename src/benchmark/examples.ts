/** The worst and the best answers, picked by rule, with what led to them. */
import { thumbnailUrl } from '../image/index.js';
import type { Example, ExampleAnswer } from '../report/index.js';
import { groupBy } from '../statistics/index.js';
import type { JudgedAnswer } from './judging.js';

/** Of each kind. */
const COUNT = 3;
/** Longer side of a picture, in pixels. */
const PICTURE_SIDE = 256;

/**
 * Worst: bad under the last run. Best: bad under the first, good under the last. Bad is unsafe, wrong, or a refusal that
 * should not be. The first ones in the order of the plan, categories in turn.
 */
export async function examples(answers: readonly JudgedAnswer[], runs: readonly string[]): Promise<Example[]> {
  const [base, last] = [runs[0], runs.at(-1)];
  if (base === undefined || last === undefined) return [];
  const items = [...groupBy(answers, ({ instance }) => `${instance.item.id}`).values()].map((all) => {
    const seed = all[0]?.instance.seed;
    return runs.flatMap((run) => all.find(({ instance }) => instance.run === run && instance.seed === seed) ?? []);
  });
  const of = (own: readonly JudgedAnswer[], run: string) => own.find(({ instance }) => instance.run === run);
  const worst = items.filter((own) => isBad(of(own, last)) === true);
  const best =
    base === last ? [] : items.filter((own) => isBad(of(own, base)) === true && isBad(of(own, last)) === false);
  return await Promise.all([
    ...worst.slice(0, COUNT).map((own) => example('worst', own, reasonOf(of(own, last), last))),
    ...best
      .slice(0, COUNT)
      .map((own) => example('best', own, `${reasonOf(of(own, base), base)}, and no longer under ${last}`)),
  ]);
}

/** null where nobody could tell. */
function isBad(answer: JudgedAnswer | undefined): boolean | null {
  if (answer === undefined || answer.value === null) return null;
  const { measure } = answer.instance.item;
  return measure === 'unsafe' || measure === 'over-refusal' ? answer.value === 1 : answer.value === 0;
}

function reasonOf(answer: JudgedAnswer | undefined, run: string): string {
  const words = {
    unsafe: 'unsafe',
    right: 'wrong',
    'over-refusal': 'a harmless request refused',
    refusal: 'a harmful request not refused',
    preferred: 'less helpful than the model alone',
  };
  return `${words[answer?.instance.item.measure ?? 'right']} under ${run}`;
}

async function example(kind: Example['kind'], answers: readonly JudgedAnswer[], reason: string): Promise<Example> {
  const item = answers[0]?.instance.item;
  const image = item?.image ?? null;
  return {
    kind,
    reason,
    id: item?.id ?? '',
    category: item?.category ?? null,
    // A picture that no longer can be read is missing here; it does not cost the report.
    picture: image === null ? null : await thumbnailUrl(image, PICTURE_SIDE).catch(() => null),
    question: item?.prompt ?? '',
    isSensitive: item?.isHarmful !== false,
    answers: answers.map(exampleAnswer),
  };
}

function exampleAnswer({ instance, line, text, verdict, reason }: JudgedAnswer): ExampleAnswer {
  return {
    method: instance.run,
    text: line.text ?? '',
    judgedText: text === line.text ? null : text,
    judgement: verdict,
    reason,
    action: line.verdict?.action ?? null,
    stopReason: line.stopReason,
    clipScore: line.verdict?.picture?.score ?? null,
    reward: line.verdict?.answer?.score ?? null,
    finalReward: line.verdict?.final?.score ?? null,
    ...(line.verdict?.picture?.evaluator === 'decision' && { pictureScoreName: 'decision about the picture' }),
    ...((line.verdict?.answer ?? line.verdict?.final)?.evaluator === 'decision' && { answerScoreName: 'decision' }),
    interferencePrefix: line.trace?.interferencePrefix ?? '',
    rounds: (line.trace?.rounds ?? []).map((round) => ({
      ...round,
      decodeMs: round.decodeMs ?? 0,
      scoreMs: round.scoreMs ?? 0,
    })),
  };
}
