/** Which shard a scheduler gave to this process: as Slurm's job arrays and Kubernetes' Indexed Jobs tell it. */
import { UsageError } from '../errors.js';
import { describe } from '../options.js';
import { MOST_SHARDS, type Shard, shardName } from './shard.js';

/** Variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The shard of a task of a Slurm array (`SLURM_ARRAY_TASK_ID`, `_COUNT`, `_MIN`, and where it gives them `_MAX` and
 * `_STEP`), or of a pod of an Indexed Job (`JOB_COMPLETION_INDEX`, which Kubernetes gives, and `JOB_COMPLETION_COUNT`,
 * which it does not: the manifest says it). Tasks may be numbered from anything on and in steps; their shards are numbered
 * from 1 on.
 *
 * @throws UsageError ERR_INVALID_OPTION where neither is there, one is not whole, or they contradict each other or
 * themselves
 */
export function scheduledShard(environment: Environment): Shard {
  const told = [ofArray(environment), ofIndexedJob(environment)].filter((found) => found !== null);
  const [first, second] = told;
  if (first === undefined) {
    throw refusal(
      'SLURM_ARRAY_TASK_ID (sbatch --array) or JOB_COMPLETION_INDEX (an Indexed Job)',
      'neither',
      'Start it as a task of one of them',
    );
  }
  if (second !== undefined && shardName(first) !== shardName(second)) {
    throw refusal(
      'one scheduler to tell the shard',
      `SLURM_ARRAY_TASK_ID for ${shardName(first)} and JOB_COMPLETION_INDEX for ${shardName(second)}`,
      'Take the variables of one of them away',
    );
  }
  return first;
}

function ofArray(environment: Environment): Shard | null {
  const prefix = 'SLURM_ARRAY_TASK_';
  const id = read(environment, `${prefix}ID`);
  if (id === null) return null;
  const count = needed(environment, `${prefix}COUNT`, 'Slurm gives it to every task of an array');
  const least = needed(environment, `${prefix}MIN`, 'Slurm gives it to every task of an array');
  const step = read(environment, `${prefix}STEP`) ?? 1;
  const most = read(environment, `${prefix}MAX`) ?? least + step * (count - 1);
  const place = (id - least) / step;
  const isEven = step >= 1 && most - least === step * (count - 1);
  if (isEven && Number.isInteger(place) && isPlace(place, count)) return { index: place + 1, count };
  throw refusal(
    'an array of tasks numbered in even steps, such as --array=1-4',
    `task ${id} of ${count} from ${least} to ${most} in steps of ${step}`,
    'Number the whole array so',
  );
}

function ofIndexedJob(environment: Environment): Shard | null {
  const place = read(environment, 'JOB_COMPLETION_INDEX');
  if (place === null) return null;
  const count = needed(
    environment,
    'JOB_COMPLETION_COUNT',
    "Kubernetes gives none: set it in the manifest to the job's completions",
  );
  if (isPlace(place, count)) return { index: place + 1, count };
  throw refusal(
    'JOB_COMPLETION_INDEX from 0 on, below JOB_COMPLETION_COUNT',
    `${place} of ${count}`,
    "Set JOB_COMPLETION_COUNT to the job's completions",
  );
}

function isPlace(place: number, count: number): boolean {
  return place >= 0 && place < count && count <= MOST_SHARDS;
}

/** Null where a variable is not there, or empty. */
function read(environment: Environment, name: string): number | null {
  const text = environment[name] ?? '';
  if (text === '') return null;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw refusal(`a whole number in ${name}`, describe(text), 'Leave it as the scheduler sets it');
}

function needed(environment: Environment, name: string, why: string): number {
  const value = read(environment, name);
  if (value !== null) return value;
  throw refusal(`${name} beside the number of the task`, 'none', why);
}

function refusal(expected: string, received: string, remedy: string): UsageError {
  return new UsageError(
    'ERR_INVALID_OPTION',
    `--shard auto: expected ${expected}, received ${received}. ${remedy}, or name the shard: --shard 1/4.`,
  );
}
