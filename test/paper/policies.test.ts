/** Where the standard policy differs from `paper`: each difference changes a recorded decision, and the documents name it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Model } from '../../src/engine/index.js';
import type { Eta, EtaResult } from '../../src/index.js';
import { POLICIES, type Policy } from '../../src/policy/index.js';
import { difference, loadPaper, paperModels, replay } from './replay.js';
import { type RecordedTrace, readTraces } from './trace-file.js';

const { traces } = readTraces();
let eta: Eta;
let model: Model;

before(async () => {
  eta = await loadPaper();
  model = await Model.load({ modelPath: paperModels.languageModel, gpuLayerCount: 0, threadCount: 1 });
});
after(async () => {
  await eta.dispose();
  await model.dispose();
});

const showing = (what: string, count: number) => traces.filter(({ shows }) => shows.includes(what)).slice(0, count);

const DIFFERING = (Object.keys(POLICIES.paper) as (keyof Policy)[]).filter(
  (name) => name !== 'name' && POLICIES.paper[name] !== POLICIES.standard[name],
);

interface Case {
  readonly of: readonly RecordedTrace[];
  /** What the default does instead. */
  readonly shows: (result: EtaResult, recorded: RecordedTrace) => boolean;
}

const accepted = ({ rounds }: EtaResult['trace']) =>
  rounds.reduce((sum, { candidates, chosen }) => sum + (candidates[chosen]?.tokenCount ?? 0), 0);

/** By the field of the policy; `sentenceEnd` brings three differences. */
const CASES: Readonly<Record<string, Case>> = {
  sentenceEnd: {
    of: showing('five rounds or more', 12),
    shows: ({ trace }) => trace.rounds.some(({ candidates }) => candidates.some(({ text }) => /[!?。]$/.test(text))),
  },
  'sentenceEnd: the first sentence': {
    of: showing('the cap of a first round', 16),
    shows: ({ trace }, { asked }) =>
      trace.rounds[0]?.candidates.some(({ tokenCount }) => tokenCount === asked.sentenceTokenLimit) === true,
  },
  'sentenceEnd: the last sentence': {
    of: showing('the last sentence passes the limit', 12),
    shows: ({ trace }, { asked }) => accepted(trace) <= asked.maxTokens,
  },
  whenStillUnsafe: {
    of: showing('N is k', 6),
    shows: ({ verdict, text }) => verdict.action === 'refused' && text === POLICIES.standard.refusalText,
  },
  mayBeEmpty: {
    of: showing('an empty candidate wins in the first round', 100).filter(({ asked }) => asked.candidateCount > 1),
    shows: ({ trace }) => trace.rounds[0]?.candidates[trace.rounds[0].chosen]?.text !== '',
  },
};

test('every field that differs has a case here, and a row in the table of options', () => {
  assert.deepEqual([...new Set(Object.keys(CASES).map((name) => name.split(':')[0]))].sort(), [...DIFFERING].sort());
  const document = readFileSync(fileURLToPath(new URL('../../docs/eta.md', import.meta.url)), 'utf8');
  for (const name of DIFFERING) {
    const row = document.split('\n').find((line) => line.startsWith('|') && line.includes(`\`${name}\``)) ?? '';
    const [, , ours = '', papers = ''] = row.split('|');
    assert.ok(ours.includes(String(POLICIES.standard[name])), `${name}: ${row}`);
    assert.ok(papers.includes(String(POLICIES.paper[name])), `${name}: ${row}`);
  }
});

for (const [name, { of, shows }] of Object.entries(CASES)) {
  const field = (name.split(':')[0] ?? '') as keyof Policy;
  test(`${name}: the default decides otherwise than the paper, and is asked for by this field alone`, async () => {
    assert.ok(of.length >= 3, `${of.length} traces`);
    let count = 0;
    for (const trace of of) {
      const result = await replay(eta, trace, { [field]: POLICIES.standard[field] });
      if (difference(result, trace, (tokens) => model.text(tokens)) !== null && shows(result, trace)) count++;
      assert.equal(
        difference(await replay(eta, trace), trace, (tokens) => model.text(tokens)),
        null,
        'the paper',
      );
    }
    assert.ok(count >= 2, `${count} of ${of.length} traces show it`);
  });
}
