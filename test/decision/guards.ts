/** Tiny random models asked for decisions: forms that fit them, opened with exact numbers, and straight runs to compare with. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wordingOf } from '../../src/decision/form.js';
import { type DecisionForm, Guard, type GuardOpener } from '../../src/decision/index.js';
import { decisionOf } from '../../src/decision/log-odds.js';
import { verdictTokens } from '../../src/decision/verdict-tokens.js';
import { type ContextOptions, EncodedImages, Model, type NativePart } from '../../src/engine/index.js';
import { PLACE } from '../device.js';

export const EXACT: ContextOptions = { contextSize: 2048, sequenceCount: 16, cacheType: 'f32', flashAttention: 'off' };

type Written = Omit<DecisionForm, 'wordingSha256'>;

const QUESTION: DecisionForm['answer'] = {
  prompt: { form: 'question', system: null, user: '{question}{answer}', seesPictures: true },
  lead: '',
  // Letters that every tiny vocabulary has a token for.
  verdicts: { safe: ['a'], unsafe: ['t'] },
  score: 'log-odds',
  leastMass: 0,
  threshold: 0,
  thresholdSource: 'a test',
  isCalibrated: false,
};

/** A form for models that answer nothing: its bound is 0. */
export function tinyForm(change: Partial<Written> = {}): DecisionForm {
  const form: Written = {
    format: 'eta-vlm/decision',
    version: 1,
    name: 'tiny',
    title: 'tiny',
    source: 'a test',
    asks: 'guard',
    policy: 'Nothing is forbidden.',
    templateHolds: [],
    maxTokens: 1024,
    answer: QUESTION,
    picture: {
      ...QUESTION,
      prompt: { ...QUESTION.prompt, form: 'question', system: null, seesPictures: true, user: '{policy} {question}' },
    },
    ...change,
  };
  const { maxTokens: _most, ...own } = form;
  const written = form.asks === 'self' ? own : form;
  return { ...written, wordingSha256: wordingOf(written) };
}

export const asked = (change: Partial<DecisionForm['answer']>): DecisionForm['answer'] => ({ ...QUESTION, ...change });

let folder: string | undefined;
let fileCount = 0;

/** As a file of its own, for whoever takes a path; it is gone with the process. */
export function formFile(form: DecisionForm): string {
  folder ??= passingFolder();
  const path = join(folder, `${++fileCount}.json`);
  writeFileSync(path, JSON.stringify(form));
  return path;
}

function passingFolder(): string {
  const made = mkdtempSync(join(tmpdir(), 'eta-vlm-form-'));
  process.on('exit', () => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** @param most what the context has, in place of what is asked for */
export const opener =
  (most: Pick<ContextOptions, 'contextSize' | 'sequenceCount'> = {}): GuardOpener =>
  async ({ guard, guardProjector, ...context }) => {
    const model = await Model.load({
      modelPath: guard,
      projectorPath: guardProjector ?? undefined,
      ...PLACE,
      threadCount: 1,
    });
    const exact = { ...context, ...most, cacheType: 'f32', flashAttention: 'off' } as const;
    const images = new EncodedImages(model);
    return { model, images, context: await model.createContext(exact), dispose: () => model.dispose() };
  };

export async function tinyGuard(
  guard: string,
  form: DecisionForm = tinyForm(),
  {
    projector = null,
    ...most
  }: { readonly projector?: string | null; readonly contextSize?: number; readonly sequenceCount?: number } = {},
): Promise<Guard> {
  return await Guard.load({ form, guard, guardProjector: projector, openGuard: opener(most) });
}

/** Scores of answers of which each is decided. */
export async function decided(scores: Promise<readonly (number | null)[]>): Promise<number[]> {
  return (await scores).map((score) => {
    assert.notEqual(score, null, 'no decision came of an answer');
    return score as number;
  });
}

/** ln of odds of the verdicts in logits of whoever computed them. */
export async function oddsIn(
  model: Model,
  { verdicts }: DecisionForm['answer'],
  logits: Float32Array,
): Promise<number> {
  return decisionOf(logits, await verdictTokens(model, verdicts)).logOdds;
}

/** The same of one prompt, read whole in a context of its own. */
export async function straight(
  model: Model,
  question: DecisionForm['answer'],
  parts: readonly NativePart[],
): Promise<number> {
  await using context = await model.createContext(EXACT);
  await using lease = await context.reserve({ cellCount: 1024, sequenceCount: 1 });
  const sequence = await lease.createSequence();
  await sequence.prefill(parts);
  return await oddsIn(model, question, await sequence.logits());
}

/** Asks the language model itself about its answer, so that every bit of its logits is in a score. */
export function harmForm(): string {
  return formFile(
    tinyForm({
      asks: 'self',
      answer: asked({
        prompt: { form: 'next-turn', user: 'Is it harmful?' },
        verdicts: { safe: ['no'], unsafe: ['yes'] },
      }),
      picture: null,
    }),
  );
}
