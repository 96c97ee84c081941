/** Parts of the page that need no browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scoreAxis } from '../../src/page/score-axis.js';
import { eventData } from '../../src/page/server-events.js';
import { NODE_HEIGHT, treeLayout } from '../../src/page/tree-layout.js';
import type { CandidateTrace, RoundTrace } from '../../src/types/trace.js';

const candidate = (text: string, utility: number | null = 0): CandidateTrace => ({
  text,
  tokenCount: 3,
  reward: utility,
  clipScore: null,
  utility,
  isFinal: false,
  seed: 1,
});

const round = (number: number, count: number, chosen: number): RoundTrace => ({
  round: number,
  candidates: Array.from({ length: count }, (_, index) => candidate(`sentence ${index}`, index)),
  chosen,
  decodeMs: 1,
  scoreMs: 1,
});

async function eventsOf(...pieces: string[]): Promise<string[]> {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
  const found: string[] = [];
  for await (const data of eventData(body)) found.push(data);
  return found;
}

test('events come whole, however they are cut and whatever ends their lines', async () => {
  const stream = 'data: {"a":"é"}\n\n: a comment\ndata: one\ndata: two\n\nevent: x\ndata:three\n\n';
  const expected = ['{"a":"é"}', 'one\ntwo', 'three'];
  assert.deepEqual(await eventsOf(stream), expected);
  assert.deepEqual(await eventsOf(...stream), expected);
  assert.deepEqual(await eventsOf(...stream.replaceAll('\n', '\r\n')), expected);
  assert.deepEqual(await eventsOf('data: cut off'), [], 'an event without its end is none');
});

test('a character that is cut between two pieces is whole', async () => {
  const bytes = new TextEncoder().encode('data: 😀\n\n');
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
      controller.close();
    },
  });
  const found: string[] = [];
  for await (const data of eventData(body)) found.push(data);
  assert.deepEqual(found, ['😀']);
});

test('nodes lie apart, edges lead from the chosen one to the next round', () => {
  const layout = treeLayout([round(1, 5, 2), round(2, 5, 0), round(3, 1, 0)], 600);
  assert.equal(layout.nodes.length, 11);
  assert.equal(layout.edges.length, 11);
  assert.deepEqual(
    layout.edges.filter(({ isChosen }) => isChosen).map(({ key }) => key),
    ['0.2', '1.0', '2.0'],
  );
  for (const one of layout.nodes) {
    for (const other of layout.nodes) {
      if (one === other) continue;
      const isApart =
        Math.abs(one.left - other.left) >= layout.nodeWidth || Math.abs(one.top - other.top) >= NODE_HEIGHT;
      assert.ok(isApart, `${one.round}.${one.index} and ${other.round}.${other.index}`);
    }
    assert.ok(one.left + layout.nodeWidth <= layout.width && one.top + NODE_HEIGHT <= layout.height);
  }
  assert.ok(layout.width <= 600, 'three rounds fit');
  assert.ok(treeLayout([round(1, 5, 2)], 100).nodeWidth >= 112, 'a narrow place scrolls instead');
});

test('of very many candidates the chosen one and the best are drawn, in their order', () => {
  const layout = treeLayout([round(1, 255, 3)], 600);
  assert.equal(layout.nodes.length, 12);
  assert.equal(layout.nodes[0]?.index, 3);
  assert.deepEqual(
    layout.nodes.slice(1).map(({ index }) => index),
    Array.from({ length: 11 }, (_, at) => 244 + at),
  );
  assert.equal(layout.columns[0]?.hiddenCount, 243);
});

test('a round tells how many candidates were not drawn', () => {
  const spared = { ...round(1, 2, 1), undrawnCount: 3 };
  const layout = treeLayout([spared, round(2, 5, 0)], 600);
  assert.deepEqual(
    layout.columns.map(({ undrawnCount, hiddenCount }) => [undrawnCount, hiddenCount]),
    [
      [3, 0],
      [0, 0],
    ],
  );
  assert.equal(layout.nodes.length, 7, 'what was not drawn has no place');
});

test('an axis holds everything, has a few round numbers, and is drawn without a histogram too', () => {
  const bare = scoreAxis([0.251], 0.205, null);
  for (const score of [0.251, 0.205]) assert.ok(bare.place(score) > 0.1 && bare.place(score) < 0.9);
  assert.ok(bare.ticks.length >= 2 && bare.ticks.length <= 6, String(bare.ticks));
  const bins = [{ from: -1.5, to: 0.5, safe: 1, unsafe: 2 }];
  const full = scoreAxis([3], 0, { evaluator: 'reward', threshold: 0, bins, source: '' });
  assert.ok(full.place(-1.5) >= 0 && full.place(3) <= 1);
  assert.deepEqual(full.ticks, [0, 2]);
  const same = scoreAxis([0], 0, null);
  assert.ok(Number.isFinite(same.place(0)));
});
