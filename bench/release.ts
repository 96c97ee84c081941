/**
 * What `release: 'checked'` changes, on the miniature's shipped sample: how often its verdict is another than that of
 * `whole`, what is unsafe of all that was shown, and when the first text is there, beside `vanilla` and `whole`.
 *
 *     node --import tsx bench/release.ts [--root DIR] [--method eta] [--repeat 3]
 *
 * Controls: `whole` asked again, which has to agree with itself; and `checked` under a threshold that no sentence passes,
 * which has to disagree with every answer that was accepted. Times are taken of one request at a time, in turns.
 */
import { parseArgs } from 'node:util';
import {
  DatasetFolder,
  factsOf,
  MINIATURE_ROOT,
  type MiniatureItem,
  miniature,
  readMiniature,
  World,
} from '../src/benchmark/index.js';
import { type DecisionOptions, type EtaResult, loadEta, type Method } from '../src/index.js';
import { median } from './engine-model.js';

const { values } = parseArgs({
  options: {
    root: { type: 'string', default: MINIATURE_ROOT },
    method: { type: 'string', default: 'eta' },
    repeat: { type: 'string', default: '3' },
  },
});
const method = values.method as Method;
const WAYS: Readonly<Record<string, DecisionOptions>> = {
  vanilla: { method: 'vanilla' },
  whole: { method },
  'whole again': { method },
  checked: { method, release: 'checked' },
  'checked, nothing passes': { method, release: 'checked', thresholds: { safeReward: 1e6 } },
};

const { items } = await readMiniature(new DatasetFolder(values.root, miniature));
const world = World.load();
await using eta = await loadEta({ maxTokens: 96, reuse: false, onNotice: () => undefined });

interface Asked {
  readonly item: MiniatureItem;
  readonly results: Readonly<Record<string, EtaResult>>;
  /** Milliseconds to the first text, of the repeats the median. */
  readonly firstMs: Readonly<Record<string, number>>;
}

const asked: Asked[] = [];
for (const item of items) {
  const results: Record<string, EtaResult> = {};
  const times: Record<string, number[]> = {};
  for (let repeat = 0; repeat < Number(values.repeat); repeat++) {
    for (const [way, options] of Object.entries(WAYS)) {
      const { prompt, image } = item;
      const request = { prompt, images: image === null ? [] : [image], seed: 1, ...options };
      const result = await eta.respond(request);
      results[way] = result;
      times[way] = [...(times[way] ?? []), result.timings.firstTextMs];
    }
  }
  asked.push({
    item,
    results,
    firstMs: Object.fromEntries(Object.entries(times).map(([way, all]) => [way, median(all)])),
  });
}

const of = ({ results }: Asked, way: string) => results[way] as EtaResult;
const isUnsafe = (one: Asked, way: string) => world.judge(of(one, way).text, factsOf(one.item)).verdict === 'harm';
const actionOf = (one: Asked, way: string) => of(one, way).verdict.action;
const isJudged = (one: Asked) => of(one, 'whole').verdict.answer !== null;
const judged = asked.filter(isJudged);
const harmful = asked.filter(({ item }) => item.isHarmful);
const share = (count: number, all: number) => `${count} of ${all}`;
const count = (all: readonly Asked[], is: (one: Asked) => boolean) => share(all.filter(is).length, all.length);

console.log(
  `${items.length} items, method ${method}; an answer is judged in ${judged.length}. Medians of ${values.repeat}.`,
);
console.log('\nsame verdict as whole, of judged answers; same text; gone out before a sentence was held');
for (const way of ['whole again', 'checked', 'checked, nothing passes']) {
  const isStopped = (one: Asked) =>
    (of(one, way).trace.sentences ?? []).filter(({ text }) => text !== null).length > 0 &&
    of(one, way).trace.sentences?.at(-1)?.text === null;
  console.log(
    way.padEnd(26),
    count(judged, (one) => of(one, way).verdict.answer?.isUnsafe === of(one, 'whole').verdict.answer?.isUnsafe).padEnd(
      12,
    ),
    count(judged, (one) => of(one, way).text === of(one, 'whole').text).padEnd(12),
    count(judged, isStopped),
  );
}
console.log(
  '\nunsafe of all that was shown, of harmful requests; aligned or refused, of harmless ones; the fixed sentence alone, of harmful ones',
);
const harmless = asked.filter(({ item }) => !item.isHarmful);
for (const way of Object.keys(WAYS)) {
  console.log(
    way.padEnd(26),
    count(harmful, (one) => isUnsafe(one, way)).padEnd(12),
    count(harmless, (one) => actionOf(one, way) !== 'answered').padEnd(12),
    count(harmful, (one) => of(one, way).text === eta.facts.policy.refusalText),
  );
}
console.log('\nfirst text, milliseconds: median over items');
const groups: readonly (readonly [string, readonly Asked[]])[] = [
  ['a picture that looks safe', asked.filter(({ results }) => results['whole']?.verdict.picture?.isUnsafe === false)],
  ['accepted, one sentence', judged.filter((one) => actionOf(one, 'checked') === 'answered' && sentences(one) === 1)],
  ['accepted, several', judged.filter((one) => actionOf(one, 'checked') === 'answered' && sentences(one) > 1)],
  [
    'held, something had gone out',
    judged.filter((one) => actionOf(one, 'checked') !== 'answered' && sentences(one) > 1),
  ],
  ['held from the start', judged.filter((one) => actionOf(one, 'checked') !== 'answered' && sentences(one) === 1)],
];
for (const [name, group] of groups) {
  const ms = (way: string) =>
    group.length === 0 ? '-' : median(group.map(({ firstMs }) => firstMs[way] ?? 0)).toFixed(1);
  console.log(
    `${name} (${group.length})`.padEnd(36),
    ['vanilla', 'whole', 'checked'].map((way) => `${way} ${ms(way)}`).join(', '),
  );
}
const rewardTokens = (way: string) =>
  judged
    .filter((one) => actionOf(one, 'checked') === 'answered')
    .reduce((sum, one) => sum + of(one, way).usage.rewardTokenCount, 0);
console.log(
  `\ntokens that the reward model read of accepted answers: whole ${rewardTokens('whole')}, checked ${rewardTokens('checked')}`,
);

function sentences(one: Asked): number {
  return of(one, 'checked').trace.sentences?.length ?? 0;
}
