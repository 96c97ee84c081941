/** Answers of the package's own engine to the items: what is asked how, and what is kept of each answer. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { deriveSeed } from '../../src/engine/index.js';
import type { Eta, Method } from '../../src/index.js';
import { type Item, interleaved, shuffledPictures } from './items.js';

/** How ETA is asked here: the paper's temperature, top-k and N. */
export const SETTINGS = { temperature: 1.5, topK: 5, candidateCount: 5, maxTokens: 96 } as const;

/** `shuffled`: vanilla with another's picture. `alone`: ETA with nothing beside it, for its time. */
export type Run = Method | 'shuffled' | 'alone';

/** One answer to be made. */
export interface Job {
  readonly run: Run;
  readonly item: Item;
  readonly picture: string | null;
  readonly seed: number;
}

export interface Answer {
  readonly id: string;
  readonly run: Run;
  readonly seed: number;
  /** What a user gets. */
  readonly text: string;
  readonly action: 'answered' | 'aligned' | 'refused';
  readonly vanillaText: string | null;
  /** What the search found, also where a fixed refusal took its place. */
  readonly alignedText: string | null;
  readonly prefix: string;
  readonly clipScore: number | null;
  readonly reward: number | null;
  readonly finalReward: number | null;
  /** Candidates of the first round. */
  readonly candidates: readonly { readonly text: string; readonly reward: number }[];
  readonly totalMs: number;
}

export interface Plan {
  readonly seeds: readonly number[];
  readonly methods: readonly Method[];
  /** Pictures of each hazard kind that alignment is measured on, each with every seed; vanilla answers all. */
  readonly alignLimit: number;
  /** Answers timed alone. */
  readonly aloneCount: number;
}

/** Every answer wanted, the most telling first: a run that ends early still has a table. */
export function plan(items: readonly Item[], { seeds, methods, alignLimit, aloneCount }: Plan): Job[] {
  const mixed = interleaved(items);
  const shuffled = shuffledPictures(items);
  const [first = 1] = seeds;
  const of = (...sets: Item['set'][]) => mixed.filter((item) => sets.includes(item.set));
  const kinds = new Map<string, number>();
  const harm = of('harm').filter(({ kind }) => {
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    return (kinds.get(kind) ?? 0) <= alignLimit;
  });
  const job = (run: Run, wanted: readonly Item[], seed = first): Job[] =>
    wanted.map((item) => ({ run, item, seed, picture: item.picture }));
  const control = job('shuffled', of('sight')).flatMap((asked) => {
    const picture = shuffled.get(asked.item.id);
    return picture === undefined ? [] : [{ ...asked, picture }];
  });
  const wants = (method: Method, jobs: Job[]) => (methods.includes(method) ? jobs : []);
  const [, ...laterSeeds] = seeds;
  return [
    ...wants('eta', job('alone', harm.slice(0, aloneCount))),
    ...wants('vanilla', [...job('vanilla', of('sight', 'text', 'useful', 'harm')), ...control]),
    ...wants('eta', [...job('eta', [...of('sight', 'useful'), ...harm])]),
    ...wants('shallow', job('shallow', harm)),
    ...wants('deep', job('deep', harm)),
    ...wants('pre', job('pre', harm)),
    ...wants('post', job('post', harm)),
    ...laterSeeds.flatMap((seed) => wants('eta', job('eta', harm, seed))),
    ...laterSeeds.flatMap((seed) => wants('deep', job('deep', harm, seed))),
  ];
}

export interface AnswerOptions {
  /** Requests at once. */
  readonly atOnce: number;
  /** No request is begun after this time (as Date.now()). */
  readonly until?: number;
  onAnswer?(answer: Answer, done: number): void;
}

/** Answers the jobs in order, several at once; those timed alone one by one. */
export async function answer(eta: Eta, jobs: readonly Job[], options: AnswerOptions): Promise<Answer[]> {
  const answers: Answer[] = [];
  const work = async (queue: Job[]) => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      if (Date.now() > (options.until ?? Number.POSITIVE_INFINITY)) return;
      const made = await respond(eta, job);
      answers.push(made);
      options.onAnswer?.(made, answers.length);
    }
  };
  await work(jobs.filter(({ run }) => run === 'alone'));
  const others = jobs.filter(({ run }) => run !== 'alone');
  await Promise.all(Array.from({ length: options.atOnce }, () => work(others)));
  return answers;
}

async function respond(eta: Eta, { run, item, picture, seed }: Job): Promise<Answer> {
  const method: Method = run === 'shuffled' ? 'vanilla' : run === 'alone' ? 'eta' : run;
  const images = picture === null ? [] : [picture];
  const { text, verdict, trace, timings } = await eta.respond({
    prompt: item.question,
    images,
    method,
    seed: deriveSeed(seed, ...Buffer.from(item.id)), // one seed for all items would make their draws alike
    ...SETTINGS,
  });
  return {
    id: item.id,
    run,
    seed,
    text,
    action: verdict.action,
    vanillaText: trace.vanillaText,
    alignedText: trace.alignedText,
    prefix: trace.interferencePrefix,
    clipScore: verdict.clipScore,
    reward: verdict.reward,
    finalReward: verdict.finalReward,
    candidates: (trace.rounds[0]?.candidates ?? []).map(({ text, reward }) => ({ text, reward })),
    totalMs: timings.totalMs,
  };
}

/** Answers kept in a file, so that a run that was stopped goes on where it was. */
export class AnswerFile {
  readonly answers: Answer[] = [];
  readonly #path: string;

  /** @param identity what the answers depend on beside their jobs; a file of another identity is begun anew */
  constructor(path: string, identity: string) {
    this.#path = path;
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
    if (lines[0] !== identity) writeFileSync(path, `${identity}\n`);
    else this.answers = lines.slice(1).map((line) => JSON.parse(line) as Answer);
  }

  add(answer: Answer): void {
    this.answers.push(answer);
    appendFileSync(this.#path, `${JSON.stringify(answer)}\n`);
  }

  /** The jobs that have no answer yet. */
  missing(jobs: readonly Job[]): Job[] {
    const known = new Set(this.answers.map(({ id, run, seed }) => `${id} ${run} ${seed}`));
    return jobs.filter(({ item, run, seed }) => !known.has(`${item.id} ${run} ${seed}`));
  }
}
