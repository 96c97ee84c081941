import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scheduledShard } from '../../src/batch/index.js';

/** As Slurm sets it. */
const task = (id: number, count: number, least: number, step = 1) => ({
  SLURM_ARRAY_JOB_ID: '9',
  SLURM_ARRAY_TASK_ID: String(id),
  SLURM_ARRAY_TASK_COUNT: String(count),
  SLURM_ARRAY_TASK_MIN: String(least),
  SLURM_ARRAY_TASK_MAX: String(least + step * (count - 1)),
  SLURM_ARRAY_TASK_STEP: String(step),
});
const pod = (index: number | string, count: number | string) => ({
  JOB_COMPLETION_INDEX: String(index),
  JOB_COMPLETION_COUNT: String(count),
});

test('tasks of an array are shards from 1 on, however they are numbered', () => {
  for (const [least, step] of [
    [1, 1],
    [0, 1],
    [7, 1],
    [0, 5],
    [3, 2],
  ] as const) {
    const shards = [0, 1, 2].map((place) => scheduledShard(task(least + step * place, 3, least, step)));
    assert.deepEqual(
      shards,
      [1, 2, 3].map((index) => ({ index, count: 3 })),
      `from ${least} in steps of ${step}`,
    );
  }
  const { SLURM_ARRAY_TASK_MAX: _, SLURM_ARRAY_TASK_STEP: __, ...few } = task(2, 4, 1);
  assert.deepEqual(scheduledShard(few), { index: 2, count: 4 });
});

test('pods of an Indexed Job are shards from 1 on', () => {
  assert.deepEqual(scheduledShard(pod(0, 2)), { index: 1, count: 2 });
  assert.deepEqual(scheduledShard(pod(1, 2)), { index: 2, count: 2 });
});

test('two schedulers that say the same are one', () => {
  assert.deepEqual(scheduledShard({ ...task(3, 4, 1), ...pod(2, 4) }), { index: 3, count: 4 });
});

test('what tells no shard is refused in a sentence that says what to do', () => {
  const wrong: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    [
      'nothing',
      {},
      /expected SLURM_ARRAY_TASK_ID .* or JOB_COMPLETION_INDEX .*, received neither\. Start it as a task/,
    ],
    ['empty', { SLURM_ARRAY_TASK_ID: '' }, /received neither/],
    ['a job that is no array', { SLURM_JOB_ID: '3' }, /received neither/],
    ['no count', { ...task(1, 2, 1), SLURM_ARRAY_TASK_COUNT: '' }, /expected SLURM_ARRAY_TASK_COUNT beside/],
    ['no least', { ...task(1, 2, 1), SLURM_ARRAY_TASK_MIN: '' }, /expected SLURM_ARRAY_TASK_MIN beside/],
    ['no count of pods', { JOB_COMPLETION_INDEX: '0' }, /expected JOB_COMPLETION_COUNT .* set it in the manifest/],
    [
      'no number',
      { ...task(1, 2, 1), SLURM_ARRAY_TASK_ID: 'one' },
      /a whole number in SLURM_ARRAY_TASK_ID, received "one"/,
    ],
    ['negative', pod(-1, 2), /a whole number in JOB_COMPLETION_INDEX/],
    ['beyond the count', task(5, 4, 1), /numbered in even steps.*received task 5 of 4 from 1 to 4 in steps of 1/],
    ['below the least', task(0, 4, 1), /even steps/],
    ['a list with gaps', { ...task(4, 3, 1), SLURM_ARRAY_TASK_MAX: '9' }, /even steps/],
    ['between two steps', task(4, 3, 1, 2), /even steps/],
    ['a step of 0', { ...task(1, 1, 1), SLURM_ARRAY_TASK_STEP: '0' }, /even steps/],
    ['a pod beyond the count', pod(2, 2), /below JOB_COMPLETION_COUNT, received 2 of 2/],
    ['no pods', pod(0, 0), /received 0 of 0/],
    ['more than there are shards', pod(0, 1_000_000), /received 0 of 1000000/],
    [
      'two that contradict',
      { ...task(1, 4, 1), ...pod(1, 4) },
      /SLURM_ARRAY_TASK_ID for 1\/4 and JOB_COMPLETION_INDEX for 2\/4/,
    ],
  ];
  for (const [name, environment, message] of wrong) {
    assert.throws(() => scheduledShard(environment), { code: 'ERR_INVALID_OPTION', message }, name);
  }
});
