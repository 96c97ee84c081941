/** Replays a recorded run through `loadEta({ policy: 'paper' })` and names the first thing that differs. */
import { type DecisionOptions, type Eta, type EtaResult, loadEta, type QuestionRequest } from '../../src/index.js';
import { golden, type RecordedThreshold, type RecordedTrace } from './trace-file.js';

/** Rewards of packed runs, and 7 recorded digits. */
const SCORE_TOLERANCE = 5e-5;

export const paperModels = {
  languageModel: golden('paper/model.gguf'),
  projector: golden('paper/projector.gguf'),
  clip: golden('paper/clip'),
  rewardModel: golden('paper/reward-model'),
};

/** F32 cells and no flash attention: what llama.cpp rounds then stays within the margins of the recording. */
export async function loadPaper(): Promise<Eta> {
  return await loadEta({
    policy: 'paper',
    models: paperModels,
    contextSize: 8192,
    cacheType: 'f32',
    flashAttention: 'off',
    gpuLayerCount: 0,
    threadCount: 1,
  });
}

function requestOf({ asked }: RecordedTrace): QuestionRequest {
  const { image, question, thresholds: _, ...policy } = asked;
  return { image: golden(`paper/pictures/${image}`), prompt: question, ...policy };
}

/** Runs the request of a trace. @param changes fields of the request to ask otherwise */
export async function replay(eta: Eta, trace: RecordedTrace, changes: DecisionOptions = {}): Promise<EtaResult> {
  const request = { ...requestOf(trace), ...changes };
  const { unsafeClipScore, safeReward } = trace.asked.thresholds;
  let scores = { clipScore: 0, reward: 0 };
  if (typeof unsafeClipScore !== 'number' || typeof safeReward !== 'number') {
    // The exact scores of this machine, by a run that asks both evaluators.
    const everything = { unsafeClipScore: -1, safeReward: 1e6 };
    const { verdict } = await eta.respond({ ...request, method: 'shallow', thresholds: everything });
    scores = { clipScore: verdict.picture?.score ?? Number.NaN, reward: verdict.answer?.score ?? Number.NaN };
  }
  const thresholds = {
    unsafeClipScore: threshold(unsafeClipScore, scores.clipScore),
    safeReward: threshold(safeReward, scores.reward),
  };
  return await eta.respond({ ...request, thresholds });
}

function threshold(recorded: RecordedThreshold, score: number): number {
  return typeof recorded === 'number' ? recorded : stepped(score, recorded.stepsFromScore);
}

/** The 64-bit float so many steps above (below: negative) a value. */
export function stepped(value: number, steps: number): number {
  if (value === 0) return steps * Number.MIN_VALUE;
  const floats = new Float64Array([value]);
  const bits = new BigInt64Array(floats.buffer);
  bits[0] = (bits[0] ?? 0n) + BigInt(value > 0 ? steps : -steps);
  return floats[0] ?? value;
}

/** What differs, in the order in which it was decided; null when nothing does. @param textOf of tokens */
export function difference(
  { trace, verdict, text }: EtaResult,
  recorded: RecordedTrace,
  textOf: (tokens: readonly number[]) => string,
): string | null {
  const found: string[] = [];
  const same = (what: string, ours: unknown, theirs: unknown) => {
    if (ours !== theirs) found.push(`${what}: ${JSON.stringify(ours)}, recorded ${JSON.stringify(theirs)}`);
  };
  const near = (what: string, ours: number | null | undefined, theirs: number | null) => {
    if (typeof ours !== 'number' || theirs === null) same(what, ours ?? null, theirs);
    else if (!(Math.abs(ours - theirs) <= SCORE_TOLERANCE)) found.push(`${what}: ${ours}, recorded ${theirs}`);
  };
  same("the model's own answer", trace.vanillaText, textOf(recorded.answer).trim());
  near('CLIP score', verdict.picture?.score, recorded.clipScore);
  if (verdict.picture?.isUnsafe === true) near('reward', verdict.answer?.score, recorded.reward);
  same('action', verdict.action, recorded.aligned ? 'aligned' : 'answered');
  for (const [index, { candidates, chosen }] of recorded.rounds.entries()) {
    const round = trace.rounds[index];
    same(`candidates of round ${index + 1}`, round?.candidates.length, candidates.length);
    const throws = chosen === null; // the reference came no further than to the CLIP score that it could not compute
    for (const [at, candidate] of candidates.entries()) {
      const where = `candidate ${at + 1} of round ${index + 1}`;
      const ours = round?.candidates[at];
      same(`text of ${where}`, ours?.text, candidate.text);
      same(`text of the tokens of ${where}`, textOf(candidate.tokens), candidate.text);
      same(`tokens of ${where}`, ours?.tokenCount, candidate.tokens.length);
      same(`end of ${where}`, ours?.isFinal, candidate.ended);
      if (throws) {
        same(`whether CLIP is asked of ${where}`, typeof ours?.clipScore, 'number');
        continue;
      }
      near(`reward of ${where}`, ours?.reward, candidate.reward);
      near(`CLIP score of ${where}`, ours?.clipScore, candidate.clipScore);
    }
    if (!throws) same(`choice of round ${index + 1}`, round?.chosen, chosen);
  }
  if (recorded.thrownInRound !== null) return found[0] ?? null;
  same('rounds', trace.rounds.length, recorded.rounds.length);
  same('text', text, recorded.text);
  return found[0] ?? null;
}
