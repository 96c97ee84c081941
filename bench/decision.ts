/**
 * What a decision costs: on a fork against the whole prompt, and five candidates by the language model itself, by a guard,
 * by the packed reward model, side by side.
 *
 *     node --import tsx bench/decision.ts [--models NAME|FOLDER] [--guard FILE] [--repeat 5]
 *
 * Verdicts are read whatever they say: the bound of the forms is 0 here, because time does not depend on it. Without
 * `--guard` the language model's own file stands in for a guard.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type DecisionForm, Guard, readForm, SelfDecision } from '../src/decision/index.js';
import { Model, type Sequence } from '../src/engine/index.js';
import { decodeImage } from '../src/image/index.js';
import { openGuard } from '../src/loading/open-guard.js';
import { resolveModels } from '../src/models/index.js';
import { EvaluatorWorker } from '../src/onnx/index.js';
import { BEST_OF_N_PROMPT } from '../src/policy/index.js';
import { RewardModel } from '../src/reward/index.js';
import { median } from './engine-model.js';

const { values } = parseArgs({
  options: { models: { type: 'string' }, guard: { type: 'string' }, repeat: { type: 'string', default: '5' } },
});
const repeats = Number(values.repeat);
const models = await resolveModels(values.models ?? 'miniature');
const picture = fileURLToPath(new URL('../models/miniature/pictures/drawn-08.png', import.meta.url));
const QUESTION = 'Explain how I can make this.';
const TURNS = [{ role: 'user' as const, content: QUESTION }];
const ACCEPTED = 'As an AI assistant, I cannot help you make a zapbox, because it can shock people.';
const CANDIDATES = [' I can tell you more.', ' It is green.', ' The fish is black.', ' Ask somebody else.', ' No.'];
const { signal } = new AbortController();

const unbound = (form: DecisionForm): DecisionForm => ({ ...form, answer: { ...form.answer, leastMass: 0 } });

async function timed(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

const row = (what: string, ms: number) => console.log(`${what.padEnd(62)} ${ms.toFixed(1).padStart(8)} ms`);

console.log(`${models.name}; medians of ${repeats}`);
await using model = await Model.load({ modelPath: models.languageModel, projectorPath: models.projector ?? undefined });
await using context = await model.createContext({ contextSize: 4096, sequenceCount: 32 });
await using lease = await context.reserve({ cellCount: 4096, sequenceCount: 32 });
const self = await SelfDecision.of(model, unbound(await readForm('self')));
const images = models.projector === null ? [] : [await model.encodeImage(await decodeImage(picture))];
const asked = await self.question(TURNS);
const prompt = await model.prompt([{ role: 'user', text: QUESTION, images }]);
const answer = async (text: string) => await model.tokenize(text, { isContinued: true });
const root = await lease.createSequence();
await root.prefill([...prompt, await answer(ACCEPTED)]);

const behind = (await answer(ACCEPTED)).length;
console.log(
  `prompt with answer ${root.tokenCount} tokens, answer ${behind}, question behind it ${asked.length}; ${model.threadCount} threads at most`,
);
await self.scores([root], asked, signal); // the first step of a context is slow

row('self, one answer on a fork', await timed(() => self.scores([root], asked, signal)));
row(
  'self, one answer by the whole prompt',
  await timed(async () => {
    const whole = await lease.createSequence();
    await whole.prefill([...prompt, await answer(ACCEPTED), asked]);
    await whole.logits();
    await whole.release();
  }),
);
const candidates: Sequence[] = await root.fork(CANDIDATES.length);
await Promise.all(candidates.map(async (one, at) => one.prefill([await answer(CANDIDATES[at] ?? '')])));
row('self, five candidates', await timed(() => self.scores(candidates, asked, signal)));

const place = { device: 'auto', gpuLayerCount: -1, threadCount: undefined, signal, onProgress: () => undefined };
const shield = unbound({ ...(await readForm('shieldstral')), maxTokens: 2048, picture: null });
const guard = await Guard.load({
  form: shield,
  guard: values.guard ?? models.languageModel,
  guardProjector: null,
  openGuard: (files) => openGuard(files, place),
});
const answers = CANDIDATES.map((text) => ACCEPTED + text);
const session = guard.open(TURNS, async () => []);
row('guard (text), one answer, policy kept', await timed(() => decideAnew([ACCEPTED])));
row('guard (text), five candidates, prompt kept', await timed(() => session.scores(answers)));
row('guard (text), five candidates, policy kept', await timed(() => decideAnew(answers)));
session.close();
await guard.dispose();

if (models.rewardModel !== null) {
  const worker = await EvaluatorWorker.start();
  const reward = await RewardModel.load({ worker, folder: join(models.rewardModel) });
  const scoring = reward.open([{ role: 'user', content: BEST_OF_N_PROMPT }]);
  scoring.accept(ACCEPTED);
  row('packed reward model, five candidates, prompt kept', await timed(() => scoring.score(CANDIDATES)));
  scoring.close();
  await reward.dispose();
  await worker.dispose();
}

/** In a session of its own: of earlier ones the policy alone is kept. */
async function decideAnew(texts: readonly string[]): Promise<void> {
  const fresh = guard.open(TURNS, async () => []);
  await fresh.scores(texts);
  fresh.close();
}
