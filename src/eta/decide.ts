/**
 * Questions that a reply of one token answers, asked of the language model: what they share is read once, each stands behind
 * it on a fork, and several are decided in one batch. Nothing is sampled.
 */
import { logitsBehind, MOST_LANES, type Reply, replyOf, SURE_MASS, type WordTokens } from '../decision/index.js';
import { commonBeginning, type NativePart, type PromptTurn, type Sequence } from '../engine/index.js';
import { EvaluatorError, UsageError } from '../errors.js';
import { Turns } from '../turns.js';
import { WorkGroup } from '../work-group.js';
import { largestPrompt, type Room, shortening } from './allotment.js';
import type { AskedDecision, CheckedDecide, DecideQuestion, DecideResult } from './decide-request.js';
import { answersOf, type WordedQuestion, worded } from './decide-words.js';
import { DecodedPictures } from './decoded-pictures.js';
import { Measures } from './measures.js';
import { noticeOf } from './notice.js';
import { isBehindBlank } from './prefix-tokens.js';
import { type Shown, showing, tokensIn } from './prompt.js';
import type { PipelineParts } from './request-run.js';

export interface DecideParts extends Pick<PipelineParts, 'model' | 'context' | 'images' | 'files' | 'onNotice'> {
  readonly words: WordTokens;
}

/** @param leastMass below it a question is not decided */
export async function runDecide(
  parts: DecideParts,
  request: CheckedDecide,
  outer: AbortSignal,
  leastMass = SURE_MASS,
): Promise<DecideResult> {
  const group = new WorkGroup(outer);
  const { signal } = group;
  const measures = new Measures();
  try {
    return await group.result(
      group.start(async () => {
        const pictures = new DecodedPictures(
          request.turns.flatMap(({ images = [] }) => images),
          parts.files,
          request.reuse,
          group,
        );
        const noticing = parts.onNotice === null ? null : group.start(async () => noticeOf(await pictures.all()));
        const { questions } = request;
        const replies = await showing({ ...parts, ...request, pictures, measures, signal }, async (shown) => {
          const notice = await noticing;
          if (notice !== null) group.watch(parts.onNotice?.(notice));
          const asked = await prompts(parts, questions, shown, signal);
          measures.add('imageTokenCount', shown.imageCount);
          return await ask({ parts, request, shown, measures, signal }, asked);
        });
        const decisions = decided(parts, questions, replies, leastMass);
        return { decisions, usage: measures.usage, timings: measures.timings, model: parts.model.name };
      }),
    );
  } finally {
    await group.close();
  }
}

interface AskedPrompt {
  readonly prompt: readonly NativePart[];
  readonly tokens: WordedQuestion['tokens'];
}

async function prompts(
  { model, words }: DecideParts,
  questions: readonly DecideQuestion[],
  { turns, prompt }: Shown,
  signal: AbortSignal,
): Promise<AskedPrompt[]> {
  // Where a reply begins, whatever was asked.
  const some = await prompt(withQuestion(turns, '?'));
  const asked = await worded(questions, { model, words, isBehindBlank: isBehindBlank(model, some), signal });
  const found: AskedPrompt[] = [];
  for (const { text, tokens } of asked) found.push({ prompt: await prompt(withQuestion(turns, text)), tokens });
  return found;
}

/** Behind an answer it is a turn of its own, behind what the user said the rest of that. */
function withQuestion(turns: readonly PromptTurn[], text: string): PromptTurn[] {
  const last = turns.at(-1);
  if (last?.role !== 'user') return [...turns, { role: 'user', text }];
  return [...turns.slice(0, -1), { ...last, text: last.text.trim() === '' ? text : `${last.text}\n\n${text}` }];
}

interface Asking {
  readonly parts: DecideParts;
  readonly request: CheckedDecide;
  readonly shown: Shown;
  readonly measures: Measures;
  readonly signal: AbortSignal;
}

/** Reads what all share, and asks as many at once as there are lanes and cells for. */
async function ask(
  { parts, request, shown, measures, signal }: Asking,
  asked: readonly AskedPrompt[],
): Promise<Reply[]> {
  const { context } = parts;
  const { reuse } = request;
  const { tokenCount: sharedCount, shared, rests: inputs } = commonBeginning(asked.map(({ prompt }) => prompt));
  const rests = asked.map(({ tokens }, at) => ({ input: inputs[at] ?? [], tokens }));
  const groups = grouped(rests, { sharedCount, room: shown.room, sequenceCount: context.facts.sequenceCount });
  const demand = {
    cellCount: sharedCount + Math.max(...groups.map((group) => tokensIn(group.flatMap(({ input }) => input)))),
    sequenceCount: 1 + Math.max(...groups.map(({ length }) => length)),
  };
  const { lease, sequence, rest, cachedTokenCount } = await context.begin(shared, demand, { signal, reuse });
  measures.add('promptTokenCount', sharedCount);
  measures.add('cachedTokenCount', cachedTokenCount);
  try {
    if (rest.length > 0) await measures.time('prefillMs', () => sequence.prefill(rest, { signal }));
    if (reuse) await sequence.keep().catch(() => undefined); // it spares others work, and fails no decision
    measures.add('rewardTokenCount', tokensIn(rests.flatMap(({ input }) => input)));
    measures.add('rewardCachedTokenCount', sharedCount * asked.length);
    return await measures.time('rewardMs', () => repliesOf(sequence, groups, signal));
  } finally {
    await lease.release();
  }
}

interface Rest {
  readonly input: readonly NativePart[];
  readonly tokens: WordedQuestion['tokens'];
}

async function repliesOf(
  sequence: Sequence,
  groups: readonly (readonly Rest[])[],
  signal: AbortSignal,
): Promise<Reply[]> {
  const replies: Reply[] = [];
  const turns = new Turns(signal); // a large vocabulary takes some milliseconds
  for (const group of groups) {
    const rows = await logitsBehind(
      group.map(({ input }) => ({ sequence, input })),
      signal,
    );
    replies.push(...(await turns.map(rows, (row, at) => replyOf(row, group[at]?.tokens ?? []))));
  }
  return replies;
}

/**
 * Those that are asked together.
 *
 * @throws UsageError ERR_PROMPT_TOO_LONG for one that has no room even alone
 */
function grouped(
  rests: readonly Rest[],
  {
    sharedCount,
    room,
    sequenceCount,
  }: { readonly sharedCount: number; readonly room: Room; readonly sequenceCount: number },
): Rest[][] {
  const lanes = Math.max(1, Math.min(MOST_LANES, sequenceCount - 1));
  const most = largestPrompt(room) + 1 - sharedCount;
  const groups: Rest[][] = [];
  let cells = 0;
  for (const [index, rest] of rests.entries()) {
    const count = tokensIn(rest.input);
    if (count > most) {
      throw new UsageError(
        'ERR_PROMPT_TOO_LONG',
        `request: questions.${index}: expected one of at most ${most} tokens behind ${sharedCount} that all share, received ${count}. ${shortening(room)}`,
      );
    }
    const last = groups.at(-1);
    if (last === undefined || last.length === lanes || sharedCount + cells + count > room.cellCount) {
      groups.push([rest]);
      cells = count;
    } else {
      last.push(rest);
      cells += count;
    }
  }
  return groups;
}

/** @throws EvaluatorError ERR_NO_DECISION where none is decided; ERR_EVALUATOR for what is no number */
function decided(
  { model }: Pick<DecideParts, 'model'>,
  questions: readonly DecideQuestion[],
  replies: readonly Reply[],
  leastMass: number,
): AskedDecision[] {
  const [first] = replies;
  if (!replies.every(({ mass, shares }) => Number.isFinite(mass) && !shares.some(Number.isNaN))) {
    throw new EvaluatorError(
      'ERR_EVALUATOR',
      `Expected logits of ${model.name} that are finite numbers, received others. The model file may be damaged: fetch it again.`,
    );
  }
  if (first !== undefined && replies.every(({ mass }) => mass < leastMass)) {
    const received = Math.max(...replies.map(({ mass }) => mass)).toPrecision(2);
    throw new EvaluatorError(
      'ERR_NO_DECISION',
      `Expected ${model.name} to answer a question with one of its answers, which together have a probability of at least ${leastMass}, received ${received} at most: ` +
        `it does not answer the ${questions.length === 1 ? 'question' : 'questions'}. What it would say instead begins with ${JSON.stringify(model.text([first.likeliestOther]))}. Ask otherwise, or take another model.`,
    );
  }
  return questions.map((question, at) => decisionOn(question, replies[at] as Reply, leastMass));
}

function decisionOn(question: DecideQuestion, { shares, mass }: Reply, leastMass: number): AskedDecision {
  const isDecided = mass >= leastMass;
  const probabilities = shares.map(Math.exp);
  const likeliest = probabilities.indexOf(Math.max(...probabilities));
  const probability = isDecided ? (probabilities[likeliest] ?? null) : null;
  if (question.type === 'predicate')
    return { type: 'predicate', probability: isDecided ? (probabilities[0] ?? null) : null, mass };
  const answers = answersOf(question);
  const told = { probability, probabilities: isDecided ? probabilities : null, mass };
  if (question.type === 'choice')
    return { type: 'choice', choice: isDecided ? (answers[likeliest] ?? null) : null, ...told };
  const score = probabilities.reduce((sum, share, at) => sum + share * Number(answers[at]), 0);
  return { type: 'score', score: isDecided ? score : null, ...told };
}
