/** A batch whose lines do not depend on what runs beside them, on a quantised model; and what holds a file to that. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { galleryRequests } from '../../bench/gallery-requests.js';
import { harmForm } from '../decision/guards.js';
import { quantise } from '../quantised.js';
import { assertRefused, run } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-cli-exact-'));
after(() => rmSync(folder, { recursive: true }));
const miniature = fileURLToPath(new URL('../../models/miniature/', import.meta.url));
const model = join(folder, 'model.gguf');
quantise(join(miniature, 'language-model.gguf'), model, 'q8_0');

/** The language model judges itself, so that every bit of its logits is in the lines. */
const form = harmForm();
const requests = join(folder, 'requests.jsonl');
const lines = galleryRequests(10).map(
  (request) => `${JSON.stringify({ ...request, maxTokens: 32, candidateCount: 3 })}\n`,
);
writeFileSync(requests, lines.join(''));
const reversed = join(folder, 'reversed.jsonl');
writeFileSync(reversed, [...lines].reverse().join(''));

let count = 0;
const fresh = () => join(folder, `answers-${++count}.jsonl`);
const MODELS = ['--language-model', model, '--projector', join(miniature, 'projector.gguf')];
const JUDGED = [
  '--clip',
  join(miniature, 'clip'),
  '--decision',
  form,
  '--safe-decision',
  '1000000',
  '--unsafe-clip-score',
  '-1',
];

async function answered(asking: string, more: readonly string[]): Promise<string> {
  const out = fresh();
  const ended = await run(['batch', asking, '--out', out, ...MODELS, ...JUDGED, ...more]);
  assert.equal(ended.code, 0, ended.stderr);
  return out;
}

/** What was answered and found, by id. */
const found = (path: string) =>
  new Map(
    readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; text: string; verdict: object; trace: { rounds: object } })
      .map(({ id, text, verdict, trace }) => [
        id,
        JSON.stringify([text, verdict, trace.rounds]).replace(/"\w+Ms":[\d.]+/g, ''),
      ]),
  );
const differing = (one: string, other: string) => {
  const others = found(other);
  return [...found(one)].filter(([id, said]) => others.get(id) !== said).length;
};

test('--repeatable gives the same file, byte for byte, at any concurrency and in shards', async () => {
  const whole = await answered(requests, ['--repeatable', '--ordered', '--trace', '--concurrency', '1']);
  const eight = await answered(requests, [
    '--repeatable',
    '--ordered',
    '--trace',
    '--concurrency',
    '8',
    '--context-size',
    '8192',
  ]);
  assert.equal(differing(whole, eight), 0);
  const sized = ['--context-size', '8192', '--repeatable', '--trace'];
  const parts = [
    await answered(requests, [...sized, '--shard', '1/2']),
    await answered(requests, [...sized, '--shard', '2/2', '--concurrency', '3']),
  ];
  const out = fresh();
  assert.equal((await run(['batch', 'merge', ...parts, '--out', out, '--ordered'])).code, 0);
  assert.ok(readFileSync(out).equals(readFileSync(eight)), 'shards, merged, are the file of one run');
});

test('--exact gives the same answers and scores in another order; without it they differ; a file stays what it was begun as', async () => {
  const exact = await answered(requests, ['--exact', '--trace']);
  assert.equal(differing(exact, await answered(reversed, ['--exact', '--trace', '--threads', '1'])), 0);
  assert.ok(differing(exact, await answered(requests, ['--trace'])) > 0, 'control: side by side some differ');
  const asks = ['batch', requests, '--out', exact, '--resume', '--trace', ...MODELS, ...JUDGED];
  assertRefused(await run(asks), {
    exitCode: 2,
    code: 'ERR_RESULTS_DIFFER',
    message: /exact was true, is not set/,
  });
  assert.equal((await run([...asks, '--exact'])).code, 0);
});
