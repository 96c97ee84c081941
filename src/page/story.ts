/** How an answer came about, as far as it is known: from events while it is made, from the trace afterwards. */
import type { EtaResult } from '../types/result.js';
import type { RoundTrace, SentenceTrace } from '../types/trace.js';
import type { Judgement, Verdict } from '../types/verdict.js';
import type { ProgressEvent } from './wire.js';

export interface Story {
  readonly picture: Judgement | null;
  readonly vanillaText: string | null;
  /** Of an answer that goes out sentence by sentence; absent of another. */
  readonly sentences?: readonly SentenceTrace[];
  readonly answer: Judgement | null;
  readonly rounds: readonly RoundTrace[];
  /** Null until everything is settled. */
  readonly verdict: Verdict | null;
}

export const NOTHING_YET: Story = { picture: null, vanillaText: null, answer: null, rounds: [], verdict: null };

/** The story with what an event tells. */
export function continued(story: Story, event: ProgressEvent): Story {
  switch (event.type) {
    case 'picture':
      return { ...story, picture: event.judgement };
    case 'vanilla':
      return { ...story, vanillaText: event.text };
    case 'sentence':
      return { ...story, sentences: [...(story.sentences ?? []), event.sentence] };
    case 'answer':
      return { ...story, answer: event.judgement };
    case 'round':
      return { ...story, rounds: [...story.rounds, event.round] };
    case 'rung':
      return story; // the verdict tells what came of it
    case 'verdict':
      return { ...story, verdict: event.verdict };
  }
}

/** The whole story of an answer that is done. */
export function storyOf({ verdict, trace }: Pick<EtaResult, 'verdict' | 'trace'>): Story {
  const { picture, answer } = verdict;
  const { vanillaText, sentences, rounds } = trace;
  return { picture, answer, verdict, vanillaText, rounds, ...(sentences !== undefined && { sentences }) };
}
