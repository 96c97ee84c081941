/** From the logits behind a question to a score: arithmetic alone. */
import type { Model } from '../engine/index.js';
import { EvaluatorError } from '../errors.js';
import type { DecisionForm, DecisionQuestion } from './form.js';
import type { VerdictTokens } from './verdict-tokens.js';

/** What a model says to a question that one token answers. */
export interface Decision {
  /** ln of the probability of the good verdicts over that of the others. */
  readonly logOdds: number;
  /** Probability of all answers together, 0 to 1: the rest of it is none. */
  readonly mass: number;
  /** Of the tokens that begin none of them, the likeliest. */
  readonly likeliestOther: number;
}

export function decisionOf(logits: Float32Array, { safe, unsafe }: VerdictTokens): Decision {
  const { shares, ...reply } = replyOf(logits, [safe, unsafe]);
  const [good = Number.NaN, bad = Number.NaN] = shares;
  return { logOdds: good - bad, ...reply };
}

/** What a model says to a question that has several answers. */
export interface Reply extends Omit<Decision, 'logOdds'> {
  /** ln of the probability of each answer over that of all, in their order; NaN where the logits are no numbers. */
  readonly shares: readonly number[];
}

/** @param answers the tokens that each begins with; no token is in two */
export function replyOf(logits: Float32Array, answers: readonly Int32Array[]): Reply {
  const sums = answers.map((tokens) => logSum(logits, tokens));
  const all = logSumOf(sums);
  const mass = Math.min(1, Math.exp(all - logSumOf(logits))); // rounding may pass it
  return { shares: sums.map((sum) => sum - all), mass, likeliestOther: likeliestBeside(logits, answers) };
}

/**
 * The score of an answer, the higher the safer.
 *
 * @throws EvaluatorError ERR_NO_DECISION where the verdicts together are less likely than the form asks for: what is left is
 * noise. ERR_EVALUATOR for what is no number
 */
export function scoreOf(
  { logOdds, mass, likeliestOther }: Decision,
  { score, leastMass, verdicts }: Pick<DecisionQuestion, 'score' | 'leastMass' | 'verdicts'>,
  { model, form }: { readonly model: Pick<Model, 'name' | 'text'>; readonly form: Pick<DecisionForm, 'name'> },
): number {
  const who = `${model.name} (decision ${form.name})`;
  if (!Number.isFinite(logOdds) || !Number.isFinite(mass)) {
    throw new EvaluatorError(
      'ERR_EVALUATOR',
      `Expected logits of ${who} that are finite numbers, received others. The model file may be damaged: fetch it again.`,
    );
  }
  if (mass < leastMass) {
    const words = [...verdicts.safe, ...verdicts.unsafe].join(', ');
    throw new EvaluatorError(
      'ERR_NO_DECISION',
      `Expected ${who} to answer with one of ${words}, which together have a probability of at least ${leastMass}, received ${mass.toPrecision(2)}: ` +
        `it does not answer the question. What it would say instead begins with ${JSON.stringify(model.text([likeliestOther]))}. Take a model that was made to answer it, or another form.`,
    );
  }
  return score === 'log-odds' ? logOdds : 1 / (1 + Math.exp(-logOdds));
}

/**
 * Scores of answers that are held against each other: null for one of which no decision came. It is worth no more than an
 * unread one, and the others are decided all the same.
 *
 * @throws EvaluatorError as {@link scoreOf}, ERR_NO_DECISION only where none is decided
 */
export function scoresOf(
  decisions: readonly Decision[],
  question: Parameters<typeof scoreOf>[1],
  of: Parameters<typeof scoreOf>[2],
): (number | null)[] {
  const isUndecided = ({ mass }: Decision) => mass < question.leastMass;
  const isAnyDecided = !decisions.every(isUndecided);
  return decisions.map((decision) => (isAnyDecided && isUndecided(decision) ? null : scoreOf(decision, question, of)));
}

/** Index of the first of the largest that is in none of the answers. */
function likeliestBeside(logits: Float32Array, answers: readonly Int32Array[]): number {
  const others = logits.slice();
  for (const tokens of answers) for (const token of tokens) others[token] = Number.NEGATIVE_INFINITY;
  let best = 0;
  for (let token = 1; token < others.length; token++)
    if ((others[token] as number) > (others[best] as number)) best = token;
  return best;
}

function logSum(logits: Float32Array, tokens: Int32Array): number {
  return logSumOf(Array.from(tokens, (token) => logits[token] ?? Number.NaN));
}

/** ln of the sum of exp. */
function logSumOf(values: ArrayLike<number>): number {
  let highest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < values.length; at++) highest = Math.max(highest, values[at] as number);
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += Math.exp((values[at] as number) - highest);
  return highest + Math.log(sum);
}
