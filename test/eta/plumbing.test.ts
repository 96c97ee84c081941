/** The small parts between producer and consumer: held text, event streams, groups of tasks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { AnswerText } from '../../src/eta/answer-text.js';
import { EventStream } from '../../src/eta/event-stream.js';
import { WorkGroup } from '../../src/work-group.js';

test('an answer leaves in pieces without the white space around it', () => {
  const pieces: string[] = [];
  const answer = new AnswerText((text) => pieces.push(text));
  answer.open();
  for (const piece of [' ', ' I', ' see', '\n', '\n two', ' \n', '']) answer.push(piece);
  assert.deepEqual(pieces, ['I', ' see', '\n\n two']);
  assert.equal(answer.text, 'I see\n\n two');
  assert.equal(pieces.join(''), answer.text);
});

test('held text leaves when it is opened, and not before', () => {
  const pieces: string[] = [];
  const answer = new AnswerText((text) => pieces.push(text));
  answer.push(' One.');
  answer.push(' Two.');
  assert.deepEqual(pieces, []);
  assert.equal(answer.text, 'One. Two.');
  answer.open();
  answer.open();
  answer.push(' Three.');
  assert.deepEqual(pieces, ['One. Two.', ' Three.']);
});

test('an answer of nothing is nothing', () => {
  const pieces: string[] = [];
  const answer = new AnswerText((text) => pieces.push(text));
  answer.push(' \n');
  answer.open();
  assert.deepEqual([pieces, answer.text], [[], '']);
});

test('events come in order, whoever is faster', async () => {
  const stream = new EventStream<number>();
  stream.push(1);
  stream.push(2);
  const seen: number[] = [];
  const reading = (async () => {
    for await (const event of stream.events()) seen.push(event);
  })();
  await setTimeout(5);
  assert.deepEqual(seen, [1, 2]);
  stream.push(3);
  stream.end();
  await reading;
  assert.deepEqual(seen, [1, 2, 3]);
});

test('a failure comes behind the last event', async () => {
  const stream = new EventStream<number>();
  stream.push(1);
  stream.end({ error: new RangeError('late') });
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const event of stream.events()) seen.push(event);
  }, RangeError);
  assert.deepEqual(seen, [1]);
});

/** A task that ends only when its signal fires. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new TypeError('was aborted'))));

test('the first failure of a group ends the others and is what is thrown', async () => {
  const group = new WorkGroup(new AbortController().signal);
  const other = group.start(untilAborted);
  group.start(async () => {
    await setTimeout(2);
    throw new RangeError('first');
  });
  await assert.rejects(group.result(other), RangeError);
  await group.close();
});

test('the outer signal reaches every task, with its reason', async () => {
  const outer = new AbortController();
  const group = new WorkGroup(outer.signal);
  const task = group.start(untilAborted);
  outer.abort('enough');
  assert.equal(group.signal.reason, 'enough');
  await assert.rejects(group.result(task), TypeError);
  await group.close();
});

test('closing waits for what nobody waits for', async () => {
  const group = new WorkGroup(new AbortController().signal);
  let isOver = false;
  group.start(async (signal) => {
    await untilAborted(signal).catch(() => undefined);
    await setTimeout(5);
    isOver = true;
  });
  await group.close();
  assert.equal(isOver, true);
});
