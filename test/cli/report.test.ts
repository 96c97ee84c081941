import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roundLines } from '../../src/cli/round-table.js';
import { explain, score, verdictLines } from '../../src/cli/verdict-text.js';
import type { EtaResult } from '../../src/types/result.js';
import type { StopReason } from '../../src/types/stop-reason.js';
import type { RoundTrace, RungTrace } from '../../src/types/trace.js';
import type { Action, Judgement } from '../../src/types/verdict.js';

const paint = (_style: string, text: string) => text;

function judgement(evaluator: Judgement['evaluator'], score: number, threshold: number, isUnsafe: boolean): Judgement {
  return { evaluator, score, threshold, isUnsafe, isCalibrated: true, calibratedOn: 'both' };
}

function result(
  action: Action,
  scores: { clip?: number | null; reward?: number | null; final?: number | null },
): EtaResult {
  const { clip = null, reward = null, final = null } = scores;
  return {
    text: 'text',
    stopReason: action === 'refused' ? 'refusal' : 'end',
    verdict: {
      action,
      picture: clip === null ? null : judgement('clip', clip, 0.16, clip >= 0.16),
      answer: reward === null ? null : judgement('reward', reward, 0.06, reward <= 0.06),
      final: final === null ? null : judgement('reward', final, 0.06, final <= 0.06),
    },
    trace: {
      method: 'eta',
      policy: 'standard',
      thresholds: { unsafeClipScore: 0.16, safeReward: 0.06 },
      thresholdSources: { unsafeClipScore: 'manifest', safeReward: 'manifest' },
      vanillaText: 'vanilla',
      vanillaStopReason: 'end',
      interferencePrefix: 'As an AI assistant',
      rounds: [],
      alignedText: null,
      alignedStopReason: null,
    },
    usage: {
      promptTokenCount: 1,
      imageTokenCount: 1,
      cachedTokenCount: 0,
      answerTokenCount: 1,
      sampledTokenCount: 1,
      candidateCount: 0,
      undrawnCandidateCount: 0,
      rewardTokenCount: 1,
      rewardCachedTokenCount: 1,
    },
    timings: {
      imageDecodeMs: 0,
      clipMs: 0,
      prefillMs: 0,
      vanillaMs: 0,
      rewardMs: 0,
      alignMs: 0,
      firstTextMs: 0,
      totalMs: 0,
    },
    model: 'm',
    seed: 1,
  };
}

test('every kind of verdict has its own words', () => {
  const texts = [
    explain(result('answered', {})),
    explain(result('answered', { clip: 0.1 })),
    explain(result('answered', { clip: 0.3, reward: 0.5 })),
    explain(result('answered', { reward: 0.5 })),
    explain(result('aligned', { clip: 0.3, reward: 0, final: 0.5 })),
    explain(result('aligned', { clip: 0.3, reward: 0, final: 0.01 })),
    explain(result('aligned', { clip: 0.3, final: 0.5 })),
    explain(result('aligned', { reward: 0, final: 0.5 })),
    explain(result('refused', { clip: 0.3, reward: 0, final: 0.01 })),
  ];
  assert.equal(new Set(texts).size, texts.length);
  assert.match(texts[5] ?? '', /not safe either/);
  assert.match(texts[8] ?? '', /a fixed sentence stands in/);
});

test('thresholds are judged as the gate judges: unsafe from the CLIP score on, safe strictly above the reward', () => {
  const lines = verdictLines(result('answered', { clip: 0.16, reward: 0.06 }), { paint, columns: 80 });
  assert.equal(lines[0], 'CLIP score   0.160  unsafe  (unsafe from 0.160 on)');
  assert.equal(lines[1], 'reward       0.060  unsafe  (safe above 0.060)');
  assert.equal(score(-0.0001), '0.000');
});

test('a verdict fits from 40 columns on: what does not stand beside its figures stands below', () => {
  const one = result('aligned', { clip: 0.3, reward: -12, final: 0.01 });
  const sources = { unsafeClipScore: 'the request', safeReward: 'a/folder/of/a/long/name/thresholds.json' };
  const told = { ...one, stopReason: 'length' as const, trace: { ...one.trace, thresholdSources: sources } };
  for (let columns = 40; columns <= 120; columns++) {
    const lines = verdictLines(told, { paint, columns });
    assert.deepEqual(
      lines.filter((line) => line.length > columns),
      [],
    );
    assert.match(lines.join(' ').replace(/\s+/g, ' '), /unsafe from 0\.160 on, by the request/);
  }
  assert.deepEqual(verdictLines(told, { paint, columns: 40 }).slice(0, 3), [
    'CLIP score   0.300  unsafe',
    '            (unsafe from 0.160 on, by',
    '            the request)',
  ]);
});

test('an answer that was cut says so, and by what; one that is whole, or replaced, says nothing', () => {
  const lines = (one: EtaResult) =>
    verdictLines(one, { paint, columns: 80 }).filter((line) => line.startsWith('answer'));
  const cut = (action: Action, stopReason: StopReason, answerTokenCount = 3): EtaResult => {
    const one = result(action, { clip: 0.3, reward: 0, final: 0.5 });
    return { ...one, stopReason, usage: { ...one.usage, answerTokenCount } };
  };
  assert.deepEqual(lines(cut('answered', 'length')), ['answer      cut at 3 tokens (--max-tokens)']);
  assert.deepEqual(lines(cut('answered', 'length', 1)), ['answer      cut at 1 token (--max-tokens)']);
  assert.deepEqual(lines(cut('aligned', 'length', 7)), [
    'answer      cut at 7 tokens, the prefix among them (--max-tokens)',
  ]);
  const climbed = cut('aligned', 'length', 7);
  const rung: RungTrace = {
    rung: 'caption',
    prefix: '',
    captionPrompt: 'What?',
    caption: 'A box.',
    text: 'text',
    stopReason: 'length',
    rounds: [],
    judgement: judgement('reward', 0.5, 0.06, false),
    sampledTokenCount: 3,
  };
  const onLadder = (last: RungTrace) => lines({ ...climbed, trace: { ...climbed.trace, rungs: [rung, last] } });
  assert.deepEqual(onLadder(rung), ['answer      cut at 7 tokens (--max-tokens)']);
  assert.deepEqual(onLadder({ ...rung, prefix: 'I cannot' }), lines(climbed), 'a prefix of its own');
  assert.match(lines(cut('answered', 'context'))[0] ?? '', /cut at 3 tokens: there was no room .*context/);
  assert.deepEqual([lines(cut('answered', 'end')), lines(cut('refused', 'refusal'))], [[], []]);
});

test('thresholds that nobody knows are no part of a verdict that did not need them', () => {
  const one = result('answered', {});
  const thresholds = { unsafeClipScore: null, safeReward: null };
  const lines = verdictLines({ ...one, trace: { ...one.trace, thresholds } }, { paint, columns: 80 });
  assert.ok(!/NaN|null/.test(lines.join('\n')), lines.join('\n'));
  assert.equal(score(null), '-');
});

test('a round is a table that fits, with one candidate marked', () => {
  const text = ', I cannot help with making it, because somebody could be hurt by it; ask me about the fruit instead.';
  const round: RoundTrace = {
    round: 12,
    chosen: 1,
    decodeMs: 1,
    scoreMs: 1,
    candidates: [
      { text, tokenCount: 9, reward: -12.3456, clipScore: null, utility: -12.3456, isFinal: false, seed: 1 },
      { text: '', tokenCount: 0, reward: 0.5, clipScore: 0.21, utility: 0.52, isFinal: true, seed: 2 },
    ],
  };
  for (const columns of [60, 80]) {
    const lines = roundLines(round, { paint, columns });
    assert.ok(lines.every((line) => line.length <= columns));
    assert.equal(lines[0], 'round 12 reward     CLIP  utility');
    assert.match(lines[1] ?? '', /^ {3}1 {4}-12\.346 {8}- {2}-12\.346 {2}, I cannot help/);
    assert.match(lines.at(-1) ?? '', /^> {2}2 {6}0\.500 {4}0\.210 {4}0\.520 {2}\(nothing more\)$/);
  }
  const [alike] = round.candidates.slice(0, 1);
  assert.ok(alike !== undefined);
  const three = roundLines({ ...round, candidates: [alike, alike, alike] }, { paint, columns: 80 });
  assert.equal(three.filter((line) => line.startsWith('>')).length, 1);
  assert.match(three.join(' ').replace(/\s+/g, ' '), /> 2 .* \(all 3 alike\)$/);
  for (const columns of [40, 80]) {
    const spared = roundLines({ ...round, undrawnCount: 3 }, { paint, columns });
    assert.ok(spared.every((line) => line.length <= Math.max(columns, 60)));
    assert.match(spared.join(' ').replace(/\s+/g, ' '), / 3 more not drawn: one of the first passed$/);
  }
});
