/**
 * What is tried while even the aligned answer is unsafe, rung by rung; of a method with a rung of its own that one first, in the
 * place of an aligned answer.
 *
 * Each rung asks for room of its own, once all that the request held is given back: who holds nothing while it waits can
 * stand in nobody's way, so requests that climb at once cannot wait for each other. Where what was read is kept, the
 * question is found again and read no second time.
 */
import { GREEDY, type Lease } from '../engine/index.js';
import { UsageError } from '../errors.js';
import { CAPTION_TOKEN_LIMIT, type Policy, planOf, rungsOf } from '../policy/index.js';
import type { Method, Rung } from '../types/policy.js';
import type { RoundTrace } from '../types/trace.js';
import type { Turn } from '../types/turn.js';
import { type AlignedAnswer, alignedAnswer, left } from './aligned-answer.js';
import { AnswerText } from './answer-text.js';
import { DecodedPictures } from './decoded-pictures.js';
import { goneTokens, leadOf } from './lead.js';
import { ownAnswer } from './own-answer.js';
import { type Question, type QuestionOptions, readQuestion } from './question.js';
import type { RequestRun } from './request-run.js';
import { type Beginning, NOTHING } from './sentence-checks.js';
import { stopReasonOf } from './stop-reason.js';

/** The question of a rung does not fit: that rung is passed over. What a judge has no room for is no such thing. */
class NoRoom extends Error {}

const NO_PREFIX = { text: '', tokens: [] } as const;

export class Ladder {
  readonly #run: RequestRun;
  /** Of the rung that is tried, or whose answer stands. */
  #lease: Lease | null = null;
  #gone = NOTHING;

  constructor(run: RequestRun) {
    this.#run = run;
  }

  /**
   * The answers, in order, each made when it is asked for; what was made before is gone then. A rung that does not apply is
   * passed over: a caption of no picture, and one whose prompt finds no room.
   *
   * @param own what the request holds by now
   * @param gone what has gone out of the model's own answer: all go on behind it
   * @throws AbortError within one step of the signal; what reading and answering throw
   */
  async *answers(own: Lease, gone: Beginning): AsyncGenerator<AlignedAnswer, void, void> {
    const { request, pictures } = this.#run;
    this.#lease = own;
    this.#gone = gone;
    for (const rung of rungsOf(request.policy)) {
      if (rung === 'caption' && pictures.count === 0) continue;
      const made = await this.#made(rung).catch((error: unknown) => {
        if (error instanceof NoRoom) return null;
        throw error;
      });
      if (made !== null) yield made;
    }
  }

  /** Gives back what the last answer holds. Idempotent. */
  async release(): Promise<void> {
    const lease = this.#lease;
    this.#lease = null;
    await lease?.release();
  }

  async #made(rung: Rung): Promise<AlignedAnswer> {
    if (rung === 'caption') return await this.#fromCaption();
    return rung === 'steered' ? await this.#steered() : await this.#behindRefusal();
  }

  /** Aligned once more, behind a beginning that refuses, whatever the method begins with. */
  async #behindRefusal(): Promise<AlignedAnswer> {
    const { request } = this.#run;
    const { policy } = request;
    const refusing: Policy = {
      ...policy,
      method: prefixed(policy),
      interferencePrefix: policy.refusingPrefix,
    };
    const rounds: RoundTrace[] = [];
    const gone = this.#gone;
    const question = await this.#read({ policy: refusing, goneCount: await this.#goneCount() });
    const answer = this.#run.answerText(gone);
    const made = await alignedAnswer(question, this.#run, {
      policy: refusing,
      rung: 'refusingPrefix',
      answer,
      gone,
      onRound: (round) => rounds.push(round),
    });
    return { ...made, how: { ...made.how, rounds } };
  }

  /** The model's own answer to the question, with its own words in the place of the pictures. */
  async #fromCaption(): Promise<AlignedAnswer> {
    const { parts, request, group, measures } = this.#run;
    const { policy, turns, reuse } = request;
    const asked = turns.at(-1)?.text ?? '';
    const captionPrompt = filled(policy.captionPrompt, { question: asked });
    return await measures.time('alignMs', async () => {
      const { caption, captionTokenCount } = await this.#caption(captionPrompt);
      const question = await this.#read({
        turns: withQuestion(unseen(turns), filled(policy.captionedPrompt, { caption, question: asked })),
        pictures: new DecodedPictures([], parts.files, reuse, group),
        policy: { ...policy, candidateCount: 1 },
        goneCount: await this.#goneCount(),
      });
      const how = { rung: 'caption', prefix: '', captionPrompt, caption, rounds: [] } as const;
      return await this.#answered(question, how, captionTokenCount);
    });
  }

  /** The model's own answer under the safety vector, in the context that has it. */
  async #steered(): Promise<AlignedAnswer> {
    const { parts, request, measures } = this.#run;
    const { steered: context } = parts;
    if (context === null) throw new NoRoom(); // no request comes here without one
    return await measures.time('alignMs', async () => {
      const policy = { ...request.policy, candidateCount: 1 };
      const question = await this.#read({ context, policy, goneCount: await this.#goneCount() });
      const how = { rung: 'steered', prefix: '', captionPrompt: null, caption: null, rounds: [] } as const;
      return await this.#answered(question, how);
    });
  }

  /** The model's own answer to a question, behind what has gone out. */
  async #answered(question: Question, how: AlignedAnswer['how'], sampledBefore = 0): Promise<AlignedAnswer> {
    const { parts, request, measures, seed, cutBack, signal } = this.#run;
    const { policy, stops } = request;
    const gone = this.#gone;
    const answer = this.#run.answerText(gone);
    const { tokens: before, goneCount } = await leadOf(parts.model, { gone, prefix: NO_PREFIX, stops });
    if (goneCount > 0) await question.root.prefill([Int32Array.from(before)], { signal });
    const maxTokens = left(question.maxTokens, goneCount);
    const made = await ownAnswer(question.root, { policy, seed, maxTokens, answer, before, stops, cutBack, signal });
    measures.add('sampledTokenCount', made.tokenCount);
    return {
      answer,
      made,
      tokens: [...before, ...made.tokens],
      goneCount,
      sampledTokenCount: sampledBefore + made.tokenCount,
      stopReason: stopReasonOf({ ...made, tokenCount: goneCount + made.tokenCount }, policy.maxTokens),
      sequence: made.sequence,
      how,
    };
  }

  /** What the model says of the pictures, greedily. */
  async #caption(prompt: string): Promise<{ readonly caption: string; readonly captionTokenCount: number }> {
    const { request, measures, signal } = this.#run;
    const { policy, turns } = request;
    const { root, maxTokens } = await this.#read({
      turns: withQuestion(turns, prompt),
      policy: { ...policy, method: 'vanilla', gate: null, maxTokens: Math.min(policy.maxTokens, CAPTION_TOKEN_LIMIT) },
      askedCount: 0, // nobody judges it
    });
    const text = new AnswerText(() => undefined);
    const { tokens } = await root.decode({ sampler: GREEDY, maxTokens, onText: (piece) => text.push(piece), signal });
    measures.add('sampledTokenCount', tokens.length);
    return { caption: text.text, captionTokenCount: tokens.length };
  }

  /** Tokens of what has gone out. */
  async #goneCount(): Promise<number> {
    return (await goneTokens(this.#run.parts.model, this.#gone)).length;
  }

  /** Reads a question, once all that was held is given back. @throws NoRoom, where it would not fit */
  async #read(asked: Partial<QuestionOptions>): Promise<Question> {
    const { parts, request, pictures, measures, signal } = this.#run;
    await this.release();
    const askedCount = asked.askedCount ?? (await this.#run.askedTokenCount());
    const policy = { ...(asked.policy ?? request.policy), principleWeight: 0 }; // what is made again leans towards nothing
    const options = { ...parts, ...request, pictures, measures, signal, ...asked, policy, askedCount };
    const question = await readQuestion(options).catch((error: unknown) => {
      if (error instanceof UsageError && error.code === 'ERR_PROMPT_TOO_LONG') throw new NoRoom();
      throw error;
    });
    this.#lease = question.lease;
    return question;
  }
}

/** The method, or the one that is like it but for a prefix. */
function prefixed(policy: Policy): Method {
  const { usesPrefix, usesSearch } = planOf(policy);
  if (usesPrefix) return policy.method;
  return usesSearch ? 'eta' : 'shallow';
}

/** Each place is filled once: what is put in is nobody's template. A place may be called as what every object has. */
function filled(template: string, values: Readonly<Record<string, string>>): string {
  const known = new Map(Object.entries(values));
  return template.replace(/\{(\w+)\}/g, (place, name: string) => known.get(name) ?? place);
}

function withQuestion(turns: readonly Turn[], text: string): readonly Turn[] {
  return turns.map((turn, at) => (at === turns.length - 1 ? { ...turn, text } : turn));
}

function unseen(turns: readonly Turn[]): readonly Turn[] {
  return turns.map(({ role, text }) => ({ role, text }));
}
