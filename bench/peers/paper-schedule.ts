/**
 * The work of answers as the paper's code orders it, on our engine: one request after another; every candidate of every
 * round by a call of its own with the whole input, the picture through the encoder, the prompt and what is accepted read
 * anew; every reward a whole run. Nothing is shared. Each answer that was found by ours is made again, with as many tokens.
 */
import { Clip } from '../../src/clip/index.js';
import { type Context, Model } from '../../src/engine/index.js';
import { decodeImage } from '../../src/image/index.js';
import type { EtaResult, RgbImage } from '../../src/index.js';
import { EvaluatorWorker } from '../../src/onnx/index.js';
import { POLICIES } from '../../src/policy/index.js';
import { RewardModel } from '../../src/reward/index.js';
import type { GalleryRequest } from '../gallery-requests.js';
import type { Files, Settings } from './settings.js';

const { bestOfNPrompt, postEvaluationPrompt, safetyPrompt, temperature, topK } = POLICIES.standard;
const CONTEXT_SIZE = 2048;

export class PaperSchedule {
  readonly #model: Model;
  readonly #context: Context;
  readonly #worker: EvaluatorWorker;
  readonly #clip: Clip;
  readonly #reward: RewardModel;
  #textCount = 0;

  private constructor(
    model: Model,
    context: Context,
    worker: EvaluatorWorker,
    judges: { readonly clip: Clip; readonly reward: RewardModel },
  ) {
    this.#model = model;
    this.#context = context;
    this.#worker = worker;
    this.#clip = judges.clip;
    this.#reward = judges.reward;
  }

  static async open({ languageModel, projector, clip, rewardModel }: Files, { threadCount }: Settings) {
    const model = await Model.load({ modelPath: languageModel, projectorPath: projector, threadCount });
    const context = await model.createContext({ contextSize: CONTEXT_SIZE, sequenceCount: 1 });
    const worker = await EvaluatorWorker.start();
    const judges = {
      clip: await Clip.load({ worker, folder: clip }),
      reward: await RewardModel.load({ worker, folder: rewardModel }),
    };
    return new PaperSchedule(model, context, worker, judges);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#model.dispose();
    await this.#worker.dispose();
  }

  /** Does what the answer took. */
  async answer(
    { prompt, image }: Pick<GalleryRequest, 'prompt' | 'image'>,
    { usage, trace, verdict }: EtaResult,
  ): Promise<void> {
    const picture = await decodeImage(image);
    await this.#clip.embedImage(picture);
    await this.#embed(safetyPrompt);
    const own = verdict.action === 'answered' ? usage.answerTokenCount : await this.#tokenCount(trace.vanillaText);
    await this.#call(prompt, picture, '', own, 0);
    if (verdict.answer !== null) await this.#score(postEvaluationPrompt, trace.vanillaText ?? '');
    let accepted = trace.rounds.length === 0 ? '' : trace.interferencePrefix;
    for (const { candidates, chosen } of trace.rounds) {
      for (const { tokenCount, seed, text } of candidates) {
        await this.#call(prompt, picture, accepted, tokenCount, temperature, seed);
        await this.#score(bestOfNPrompt, accepted + text);
        await this.#embed(text);
      }
      accepted += candidates[chosen]?.text ?? '';
    }
    if (verdict.final !== null) await this.#score(postEvaluationPrompt, accepted);
  }

  /** A call of its own: everything read from its first token. */
  async #call(question: string, picture: RgbImage, said: string, maxTokens: number, heat: number, seed = 0) {
    const image = await this.#model.encodeImage(picture);
    await using lease = await this.#context.reserve({ cellCount: CONTEXT_SIZE, sequenceCount: 1 });
    const sequence = await lease.createSequence();
    const behind = said === '' ? [] : [await this.#model.tokenize(said, { isContinued: true })];
    const prompt = await this.#model.prompt([{ role: 'user', text: question, images: [image] }]);
    await sequence.prefill([...prompt, ...behind]);
    await sequence.decode({ sampler: { temperature: heat, topK, seed }, maxTokens: Math.max(1, maxTokens) });
    image.dispose();
  }

  /** A number beside the text keeps what is kept of other runs from fitting; so below. */
  async #embed(text: string): Promise<void> {
    await this.#clip.embedText(`${this.#textCount++} ${text}`);
  }

  async #score(prompt: string, answer: string): Promise<void> {
    await this.#reward.score([{ role: 'user', content: `${this.#textCount++} ${prompt}` }], answer);
  }

  async #tokenCount(text: string | null): Promise<number> {
    return text === null ? 0 : (await this.#model.tokenize(text)).length;
  }
}
