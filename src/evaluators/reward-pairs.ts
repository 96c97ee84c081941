/** (prompt, answer) as the pair of texts that an encoder reads. */
import { UsageError } from '../errors.js';
import type { TextTurn } from '../types.js';
import { fitSequences } from './fit-sequences.js';
import type { RewardManifest } from './manifest.js';
import { sharedLength } from './packed-tree.js';
import type { TextTokenizer } from './tokenizer.js';

export class RewardPairs {
  readonly #tokenizer: TextTokenizer;
  readonly #maxTokens: number;

  constructor(manifest: RewardManifest, tokenizer: TextTokenizer) {
    this.#tokenizer = tokenizer;
    this.#maxTokens = manifest.maxTokens;
  }

  /**
   * The first text is the turns, an empty line between them; the second the answer, cut from its middle where it is too long.
   *
   * @throws UsageError ERR_PROMPT_TOO_LONG when no room is left for an answer
   */
  encode(
    turns: readonly TextTurn[],
    answer: string,
  ): { ids: readonly number[]; types: readonly number[]; cutTokenCount: number } {
    const prompt = this.#tokenizer.disarm(turns.map((turn) => turn.content).join('\n\n'));
    const { ids, types } = this.#tokenizer.encodePair(prompt, this.#tokenizer.disarm(answer));
    const without = this.#tokenizer.encodePair(prompt, '').ids;
    const headCount = sharedLength(ids, without);
    const limits = { maxTokens: this.#maxTokens, headCount, tailCount: without.length - headCount };
    if (without.length >= this.#maxTokens) {
      throw new UsageError(
        'ERR_PROMPT_TOO_LONG',
        `The reward model reads at most ${this.#maxTokens} tokens, received a prompt of ${without.length}. Shorten the conversation that is judged.`,
      );
    }
    const fitted = fitSequences([ids], limits);
    return {
      ids: fitted.sequences[0] ?? ids,
      types: fitSequences([types], limits).sequences[0] ?? types,
      cutTokenCount: fitted.cutTokenCount,
    };
  }
}
