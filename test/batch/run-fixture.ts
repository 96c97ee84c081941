/** Batches of the miniature, in a folder that goes with the tests. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { galleryRequests } from '../../bench/gallery-requests.js';
import {
  type AnswerLine,
  type BatchRequest,
  type BatchSettings,
  ResultsFile,
  type RunBatchOptions,
  readAnswers,
  runBatch,
  settingsOf,
} from '../../src/batch/index.js';
import { loadEta } from '../../src/index.js';

export const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-run-'));
export const contextSize = 6144;
export const eta = await loadEta({ contextSize, sequenceCount: 64, maxTokens: 64 });
export const settings = await settingsOf(eta.facts, { seed: 1, repeatable: true });
after(async () => {
  await eta.dispose();
  rmSync(folder, { recursive: true });
});

let count = 0;
export const fresh = () => join(folder, `${++count}.jsonl`);
/** Short answers that need no picture: of the real engine, in milliseconds. */
export const quick = (ids: readonly string[]): BatchRequest[] =>
  ids.map((id) => ({ id, request: { prompt: `What is ${id}?`, method: 'vanilla', maxTokens: 3 } }));
export const asked = (requestCount: number): BatchRequest[] =>
  galleryRequests(requestCount).map(({ id, ...request }) => ({ id, request }));

export async function run(
  path: string,
  options: Partial<RunBatchOptions> & Pick<RunBatchOptions, 'requests'>,
  { retryErrors = false, bound = {} }: { readonly retryErrors?: boolean; readonly bound?: BatchSettings } = {},
) {
  const all = { ...settings, ...bound };
  await using results = await ResultsFile.open({ path, settings: all, resume: true, retryErrors });
  return await runBatch({ eta, results, ...options });
}
export async function answers(path: string): Promise<AnswerLine[]> {
  const found: AnswerLine[] = [];
  for await (const answer of readAnswers(path)) found.push(answer);
  return found;
}
export const textOf = (path: string) => readFileSync(path, 'utf8');
