/** Reading the question: the prompt built, room reserved, everything prefilled. */
import type { Lease, Sequence } from '../engine/index.js';
import { type Policy, planOf } from '../policy/index.js';
import { type Allotment, allot } from './allotment.js';
import { laterPrefixCount } from './lead.js';
import { prefixTokens } from './prefix-tokens.js';
import { type Principled, principledPart, readPrincipled, withPrinciple } from './principled.js';
import { type PromptOptions, showing, tokensIn } from './prompt.js';

export interface QuestionOptions extends Omit<PromptOptions, 'pictureForm'> {
  readonly policy: Policy;
  /** Tokens that the language model is asked about each answer of its own. */
  readonly askedCount: number;
  /** Tokens that will stand between the prompt and what is answered, because they have gone out: part of the answer. @default 0 */
  readonly goneCount?: number | undefined;
}

/** A question that the model has read. */
export interface Question {
  /** Holds the whole prompt, with its logits; what is forked from it shares its cells. */
  readonly root: Sequence;
  /** Holds every sequence of the request. */
  readonly lease: Lease;
  /** Of the whole answer, with what of it has gone out; `roomTokens` likewise. */
  readonly maxTokens: number;
  readonly roomTokens: number;
  /** The same question with the principle, for the model's own answer; null without weight. */
  readonly principled: Principled | null;
  /** Empty for a method that aligns without the interference prefix. */
  readonly prefixTokens: Int32Array;
}

/**
 * Frees what it holds when it throws; afterwards the lease is the caller's to release.
 *
 * @throws UsageError ERR_PROMPT_TOO_LONG, ModelError ERR_NO_PROJECTOR, AbortError, EngineError
 */
export async function readQuestion(options: QuestionOptions): Promise<Question> {
  const { model, context, policy, measures, reuse, goneCount = 0, signal } = options;
  const { pictureForm } = policy;
  return await showing(
    { ...options, pictureForm },
    async ({ turns, imageCount, maxTextTokens, room, prompt: promptOf }) => {
      const prompt = await promptOf(turns);
      const promptCount = tokensIn(prompt);
      measures.add('imageTokenCount', imageCount);
      measures.add('promptTokenCount', promptCount);
      const prefix = planOf(policy).usesPrefix
        ? await prefixTokens(model, prompt, policy.interferencePrefix, { maxTokens: maxTextTokens, signal })
        : new Int32Array(0);
      const prefixCount = Math.max(prefix.length, await laterPrefixCount(model, policy));
      const { principle, principleWeight: weight } = policy;
      const leaning = weight > 0 ? principledPart(prompt, await promptOf(withPrinciple(turns, principle))) : null;
      const principledCount = leaning && tokensIn(leaning.rest);
      measures.add('promptTokenCount', principledCount ?? 0);
      const behind = { ...policy, maxTokens: Math.max(1, policy.maxTokens - goneCount) };
      const { askedCount } = options;
      const read = { promptCount: promptCount + goneCount, prefixCount, askedCount, principledCount };
      const allotted: Allotment = allot(behind, room, read);
      const { maxTokens, roomTokens, ...demand } = allotted;
      const { sequence: root, rest, lease, cachedTokenCount } = await context.begin(prompt, demand, { signal, reuse });
      measures.add('cachedTokenCount', cachedTokenCount);
      let principled: Principled | null = null;
      try {
        if (rest.length > 0) await measures.time('prefillMs', () => root.prefill(rest, { signal }));
        if (leaning !== null)
          principled = await measures.time('prefillMs', async () => ({
            sequence: await readPrincipled(root, leaning, signal),
            weight,
          }));
      } catch (error) {
        await lease.release().catch(() => undefined); // the first failure is the one to tell
        throw error;
      }
      return {
        root,
        principled,
        lease,
        maxTokens: goneCount + maxTokens,
        roomTokens: goneCount + roomTokens,
        prefixTokens: prefix,
      };
    },
  );
}
