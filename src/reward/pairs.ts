/** (prompt, answer) as the pair of texts that an encoder reads. */
import type { RewardManifest } from '../manifest/index.js';
import { fitSequences } from '../prefixes/index.js';
import type { TextTokenizer } from '../tokenizer/index.js';
import type { TextTurn } from '../types/turn.js';
import { promptTooLong } from './prompt.js';

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
   * @throws UsageError ERR_PROMPT_TOO_LONG when no room is left for an answer; AbortError
   */
  async encode(
    turns: readonly TextTurn[],
    answer: string,
    signal?: AbortSignal,
  ): Promise<{ ids: readonly number[]; types: readonly number[]; cutTokenCount: number }> {
    const prompt = this.#tokenizer.disarm(turns.map((turn) => turn.content).join('\n\n'));
    const maxTokens = this.#maxTokens;
    const without = await this.#tokenizer.encodePair(prompt, '', { signal, limit: maxTokens });
    if (without.ids.length >= maxTokens) throw promptTooLong(maxTokens, without.ids.length);
    const { ids, types, headCount, tailCount } = await this.#tokenizer.encodePair(
      prompt,
      this.#tokenizer.disarm(answer),
      { signal },
    );
    const limits = { maxTokens, headCount, tailCount };
    const fitted = fitSequences([ids], limits);
    return {
      ids: fitted.sequences[0] ?? ids,
      types: fitSequences([types], limits).sequences[0] ?? types,
      cutTokenCount: fitted.cutTokenCount,
    };
  }
}
