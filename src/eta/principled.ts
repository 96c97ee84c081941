/** The question with a principle before its text: what the model's own answer may lean towards. */
import { commonBeginning, type NativePart, type PromptTurn, type Sequence } from '../engine/index.js';

/** A question that was read with the principle. */
export interface Principled {
  /** Ends where its answer begins. */
  readonly sequence: Sequence;
  /** How far the answer leans towards it. */
  readonly weight: number;
}

/** The principle, then what was asked. */
export function withPrinciple(turns: readonly PromptTurn[], principle: string): readonly PromptTurn[] {
  return turns.map((turn, at) => (at === turns.length - 1 ? { ...turn, text: `${principle}\n\n${turn.text}` } : turn));
}

/** What its prompt adds to the prompt without it. */
export interface PrincipledPart {
  /** Tokens that both begin with, their pictures' among them. */
  readonly commonCount: number;
  readonly rest: readonly NativePart[];
}

export function principledPart(prompt: readonly NativePart[], principled: readonly NativePart[]): PrincipledPart {
  const { tokenCount, rests } = commonBeginning([prompt, principled]);
  return { commonCount: tokenCount, rest: rests[1] ?? [] };
}

/** @param root has read the whole prompt; its cells up to where the principle stands are shared */
export async function readPrincipled(
  root: Sequence,
  { commonCount, rest }: PrincipledPart,
  signal: AbortSignal,
): Promise<Sequence> {
  const [sequence] = (await root.fork(1)) as [Sequence];
  await sequence.trim(commonCount);
  await sequence.prefill(rest, { signal });
  return sequence;
}
