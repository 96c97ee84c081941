/** GET /metrics: counts and times, in the text form that Prometheus reads. */
import type { Eta } from '../index.js';
import type { ServedRequest } from './log.js';
import { NO_STORE } from './no-store.js';
import type { Queue } from './queue.js';

/** Upper bounds in seconds: from what a cached answer takes to what a large model on a small machine does. */
const BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300] as const;

const TOKENS = {
  prompt: 'promptTokenCount',
  image: 'imageTokenCount',
  cached: 'cachedTokenCount',
  answer: 'answerTokenCount',
  sampled: 'sampledTokenCount',
  reward: 'rewardTokenCount',
} as const;

class Histogram {
  readonly #counts: number[] = BOUNDS.map(() => 0);
  #sum = 0;
  #count = 0;

  add(seconds: number): void {
    this.#sum += seconds;
    this.#count++;
    for (const [at, bound] of BOUNDS.entries()) if (seconds <= bound) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  lines(name: string, labels: string): string[] {
    const bounds = BOUNDS.map(
      (bound, at) => `${name}_bucket{${labels}${comma(labels)}le="${bound}"} ${this.#counts[at]}`,
    );
    return [
      ...bounds,
      `${name}_bucket{${labels}${comma(labels)}le="+Inf"} ${this.#count}`,
      `${name}_sum${braced(labels)} ${this.#sum}`,
      `${name}_count${braced(labels)} ${this.#count}`,
    ];
  }
}

/** Counts of all that was served. Labels are routes, statuses and actions: nothing that a client can make more of. */
export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #answers = new Map<string, number>();
  readonly #tokens = new Map<string, number>();
  readonly #seconds = new Map<string, Histogram>();
  readonly #waited = new Histogram();
  readonly #firstText = new Histogram();

  add({ route, status, code, actions, usages, ms, waitedMs, firstTextMs, id }: ServedRequest): void {
    const [action = 'none'] = actions;
    count(this.#requests, `route="${route}",status="${status}",action="${action}",code="${code ?? ''}"`);
    for (const done of actions) count(this.#answers, `action="${done}"`);
    for (const usage of usages)
      for (const [kind, name] of Object.entries(TOKENS)) count(this.#tokens, `kind="${kind}"`, usage[name]);
    const seconds = this.#seconds.get(route) ?? new Histogram();
    this.#seconds.set(route, seconds);
    seconds.add(ms / 1000);
    if (id !== null) this.#waited.add(waitedMs / 1000);
    if (firstTextMs !== null) this.#firstText.add(firstTextMs / 1000);
  }

  async text(eta: Eta, queue: Queue): Promise<string> {
    const { liveSequenceCount, keptSequenceCount, usedCellCount, keptCellCount, stepCount, rowCount } =
      await eta.statistics();
    const lines = [
      ...counter('requests_total', 'Requests that ended, by route, status, action and error code.', this.#requests),
      ...counter('answers_total', 'Answers by what was done for safety.', this.#answers),
      ...counter('tokens_total', 'Tokens by kind; image and cached ones are among those of the prompt.', this.#tokens),
      ...gauge('answers_running', 'Answers that are being made.', queue.runningCount),
      ...gauge('answers_waiting', 'Answers that wait for their turn.', queue.waitingCount),
      ...gauge('models_loaded', '1 while the models are in memory.', eta.isLoaded ? 1 : 0),
      ...gauge('sequences', 'Live sequences of the context.', liveSequenceCount),
      ...gauge('sequences_kept', 'Those of them that are kept for later requests.', keptSequenceCount),
      ...gauge('cells_used', 'Cells of the KV cache in use.', usedCellCount),
      ...gauge('cells_kept', 'Those of them that are kept for later requests.', keptCellCount),
      ...gauge('steps', 'Steps of the language model since it was loaded.', stepCount),
      ...gauge('rows', 'Tokens that it computed in them.', rowCount),
      ...header('request_seconds', 'histogram', 'From arrival until all of the answer waits to be sent, by route.'),
      ...[...this.#seconds].flatMap(([route, found]) => found.lines('eta_vlm_request_seconds', `route="${route}"`)),
      ...header('wait_seconds', 'histogram', 'Waiting for a turn.'),
      ...this.#waited.lines('eta_vlm_wait_seconds', ''),
      ...header('first_text_seconds', 'histogram', 'From arrival to the first text.'),
      ...this.#firstText.lines('eta_vlm_first_text_seconds', ''),
    ];
    return `${lines.join('\n')}\n`;
  }

  async response(eta: Eta, queue: Queue): Promise<Response> {
    const headers = { ...NO_STORE, 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
    return new Response(await this.text(eta, queue), { headers });
  }
}

function header(name: string, type: string, help: string): string[] {
  return [`# HELP eta_vlm_${name} ${help}`, `# TYPE eta_vlm_${name} ${type}`];
}

function counter(name: string, help: string, counts: ReadonlyMap<string, number>): string[] {
  const lines = [...counts].map(([labels, value]) => `eta_vlm_${name}${braced(labels)} ${value}`);
  return [...header(name, 'counter', help), ...lines];
}

function gauge(name: string, help: string, value: number): string[] {
  return [...header(name, 'gauge', help), `eta_vlm_${name} ${value}`];
}

function count(counts: Map<string, number>, labels: string, more = 1): void {
  counts.set(labels, (counts.get(labels) ?? 0) + more);
}

function braced(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function comma(labels: string): string {
  return labels === '' ? '' : ',';
}
