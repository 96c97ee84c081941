/** The evaluators alone, over what somebody else has: a picture, an answer, or both. Nothing is generated. */
import type { Lease, Sequence } from '../engine/index.js';
import { UsageError } from '../errors.js';
import { judgeAnswer, judgePicture } from '../policy/index.js';
import { WorkGroup } from '../work-group.js';
import { largestPrompt, shortening } from './allotment.js';
import { DecodedPictures } from './decoded-pictures.js';
import type { CheckedEvaluation, EvaluateResult } from './evaluate-request.js';
import { Evaluation } from './evaluation.js';
import { Measures } from './measures.js';
import { noticeOf } from './notice.js';
import { prefixTokens } from './prefix-tokens.js';
import { showing, tokensIn } from './prompt.js';
import type { PipelineParts } from './request-run.js';

type EvaluateParts = Omit<PipelineParts, 'sentenceEnds' | 'deriveSeed'>;

/** @throws AbortError; what reading pictures, the engine and the evaluators throw. Everything is freed each way */
export async function runEvaluation(
  parts: EvaluateParts,
  request: CheckedEvaluation,
  outer: AbortSignal,
): Promise<EvaluateResult> {
  const group = new WorkGroup(outer);
  const { signal } = group;
  const measures = new Measures();
  const sources = request.turns.flatMap(({ images = [] }) => images);
  const { policy, turns, reuse, exact, answer } = request;
  let evaluation: Evaluation | undefined;
  try {
    return await group.result(
      group.start(async () => {
        const pictures = new DecodedPictures(sources, parts.files, reuse, group);
        const evaluated = { policy, turns, reuse, exact, pictures: () => pictures.all() };
        const asked = new Evaluation(parts.evaluators, evaluated, measures);
        evaluation = asked;
        // Who reads the answer into the language model waits for the pictures too, and tells that time.
        const isRead = answer !== null && parts.evaluators.isSelf;
        const decoding = group.start(() => decodeAll(pictures, isRead ? null : measures));
        const looking = sources.length === 0 ? null : group.start(() => asked.pictureScore(signal));
        const reading =
          answer === null
            ? null
            : group.start(async () => {
                if (exact) await looking; // one judge may judge both, one behind the other
                return await answerScore({ parts, request, pictures, measures, evaluation: asked, signal }, answer);
              });
        await decoding;
        const notice = parts.onNotice === null ? null : await noticeOf(await pictures.all());
        if (notice !== null) group.watch(parts.onNotice?.(notice));
        const [seen, said] = [await looking, await reading];
        const picture = seen && judgePicture(seen.score, request, seen.evaluator);
        return {
          picture,
          answer: said && judgeAnswer(said.score, request, said.evaluator, picture?.isUnsafe),
          usage: measures.usage,
          timings: measures.timings,
        };
      }),
    );
  } finally {
    await group.close();
    evaluation?.close();
  }
}

/** Begins each in its turn. @param measures null where somebody else tells the time */
async function decodeAll(pictures: DecodedPictures, measures: Measures | null): Promise<void> {
  for (let at = 0; at < pictures.count; at++) {
    const decode = () => pictures.at(at);
    await (measures === null ? decode() : measures.time('imageDecodeMs', decode));
  }
}

interface Answering {
  readonly parts: EvaluateParts;
  readonly request: CheckedEvaluation;
  readonly pictures: DecodedPictures;
  readonly measures: Measures;
  readonly evaluation: Evaluation;
  readonly signal: AbortSignal;
}

async function answerScore(answering: Answering, answer: string) {
  const { parts, evaluation, signal } = answering;
  if (!parts.evaluators.isSelf) return await evaluation.answerScore({ text: answer, sequence: null }, signal);
  const { lease, sequence } = await readAnswer(answering, answer);
  try {
    return await evaluation.answerScore({ text: answer, sequence }, signal);
  } finally {
    await lease.release();
  }
}

/** The conversation with the answer behind it, in the language model's own context. */
async function readAnswer(
  { parts, request, pictures, measures, evaluation, signal }: Answering,
  answer: string,
): Promise<{ readonly lease: Lease; readonly sequence: Sequence }> {
  const { model, context } = parts;
  const { reuse, policy } = request;
  const { pictureForm } = policy;
  const askedCount = await evaluation.askedTokenCount(signal);
  return await showing(
    { ...parts, ...request, pictureForm, pictures, measures, signal },
    async ({ turns, imageCount, room, prompt: promptOf }) => {
      const prompt = await promptOf(turns);
      const promptCount = tokensIn(prompt);
      const most = largestPrompt(room) + 1 - promptCount - askedCount;
      const said = await prefixTokens(model, prompt, answer, { maxTokens: Math.max(0, most), signal }).catch(
        (cause: unknown) => {
          if (!(cause instanceof UsageError && cause.code === 'ERR_PROMPT_TOO_LONG')) throw cause;
          throw new UsageError(
            'ERR_PROMPT_TOO_LONG',
            `request: answer: expected one of at most ${Math.max(0, most)} tokens behind ${promptCount} of its conversation, received a longer one. ${shortening(room)}`,
            { cause },
          );
        },
      );
      measures.add('imageTokenCount', imageCount);
      measures.add('promptTokenCount', promptCount);
      // The answer is asked about on a fork.
      const demand = { cellCount: promptCount + said.length + askedCount, sequenceCount: 2 };
      const { lease, sequence, rest, cachedTokenCount } = await context.begin(prompt, demand, { signal, reuse });
      measures.add('cachedTokenCount', cachedTokenCount);
      try {
        await measures.time('prefillMs', () => sequence.prefill([...rest, said], { signal }));
        if (reuse) await sequence.keep().catch(() => undefined); // it spares others work, and fails no answer
        return { lease, sequence };
      } catch (error) {
        await lease.release().catch(() => undefined); // the first failure is the one to tell
        throw error;
      }
    },
  );
}
