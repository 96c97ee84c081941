/**
 * What a kept beginning changes: the largest difference between logits behind a prompt computed whole and behind one that
 * starts from what another request left, how many greedy texts differ, and the time to the first token both ways, in turn.
 * Conversations about one text, by a model of your own: quantised weights round otherwise in steps of other sizes.
 *
 *     npm run build && node --import tsx bench/reuse.ts --model FILE [--tokens 48] [--flash on|off] [--cache f16|f32]
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type Context, Model, type NativePart } from '../src/engine/index.js';
import { median } from './engine-model.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    tokens: { type: 'string', default: '48' },
    flash: { type: 'string', default: 'auto' },
    cache: { type: 'string', default: 'f16' },
  },
});
if (values.model === undefined) throw new Error('Expected --model FILE, a GGUF with a chat template.');
const maxTokens = Number(values.tokens);
const STORY =
  'Mira keeps bees behind the old mill. In spring she moves four hives to the orchard, because the apple trees there ' +
  'flower before the lime trees do. Last May a storm broke two of them, and her neighbour Tom built new ones from larch. ' +
  'They share the honey since then: he takes a third, she sells the rest at the market on Saturdays. ';
const QUESTIONS = [
  'Who keeps the bees?',
  'Where do the hives stand in spring?',
  'What happened last May?',
  'What are the new hives made of?',
  'How is the honey shared?',
  'When is the market?',
  'Write a title for this story.',
  'Name the trees in the text.',
  'What would you ask Tom?',
  'Is the mill new?',
  'Tell the story in one sentence.',
  'Which trees flower first?',
];
const text = STORY.repeat(3);

await using model = await Model.load({ modelPath: values.model });
const options = {
  contextSize: 4096,
  flashAttention: values.flash as 'auto',
  cacheType: values.cache as 'f16',
};
await using kept = await model.createContext(options);
await using fresh = await model.createContext(options);
const prompts = await Promise.all(QUESTIONS.map((asked) => model.prompt([{ role: 'user', text: text + asked }])));
const countOf = (parts: readonly NativePart[]) => parts.reduce((sum, part) => sum + (part as Int32Array).length, 0);

async function ask(context: Context, prompt: readonly NativePart[], reuse: boolean) {
  const startedAt = performance.now();
  const demand = { cellCount: countOf(prompt) + maxTokens, sequenceCount: 1 };
  const { lease, sequence, rest, cachedTokenCount } = await context.begin(prompt, demand, { reuse });
  if (rest.length > 0) await sequence.prefill(rest);
  const logits = await sequence.logits();
  const firstMs = performance.now() - startedAt;
  if (reuse) await sequence.keep();
  const { text: said } = await sequence.decode({ sampler: { temperature: 0 }, maxTokens });
  await lease.release();
  return { logits, said, firstMs, cachedTokenCount };
}

await ask(kept, prompts[0] ?? [], true);
await ask(fresh, prompts[0] ?? [], false);
let largest = 0;
let differing = 0;
let other = 0;
let cached = 0;
const firsts: [number[], number[]] = [[], []];
for (const prompt of prompts.slice(1)) {
  const one = await ask(kept, prompt, true);
  const alone = await ask(fresh, prompt, false);
  for (const [at, logit] of one.logits.entries())
    largest = Math.max(largest, Math.abs(logit - (alone.logits[at] ?? 0)));
  if (one.said !== alone.said) differing++;
  const best = (logits: Float32Array) => logits.indexOf(Math.max(...logits));
  if (best(one.logits) !== best(alone.logits)) other++;
  cached += one.cachedTokenCount / countOf(prompt);
  firsts[0].push(one.firstMs);
  firsts[1].push(alone.firstMs);
}
const count = prompts.length - 1;
console.log(
  `${model.name}, ${countOf(prompts[1] ?? [])} tokens, cache ${values.cache}, flash ${values.flash}, load ${loadavg()[0]?.toFixed(1)}`,
);
console.log(`${((100 * cached) / count).toFixed(0)} % of each prompt was kept`);
console.log(`largest difference of a logit ${largest.toExponential(1)}; another first token: ${other} of ${count}`);
console.log(`another text of ${maxTokens} tokens: ${differing} of ${count}`);
console.log(`first token: ${median(firsts[0]).toFixed(0)} ms, computed whole ${median(firsts[1]).toFixed(0)} ms`);
