/** Who owns loaded parts, and when they go: every order of using, leaving, unloading and disposing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { ResidentParts } from '../../src/eta/resident-parts.js';

const LOAD_MS = 20;
const FREE_MS = 15;

/** Parts that count themselves: how many were loaded, how many lie in memory at once. */
class Machine {
  loadCount = 0;
  freedCount = 0;
  abortedCount = 0;
  live = 0;
  mostLive = 0;
  readonly failures: Error[] = [];

  readonly load = async (signal: AbortSignal) => {
    const number = ++this.loadCount;
    this.mostLive = Math.max(this.mostLive, ++this.live);
    try {
      await setTimeout(LOAD_MS, undefined, { signal });
      const failure = this.failures.shift();
      if (failure !== undefined) throw failure;
    } catch (error) {
      this.live--;
      if (signal.aborted) this.abortedCount++;
      throw error;
    }
    let isFreed = false;
    return {
      number,
      dispose: async () => {
        assert.ok(!isFreed, 'freed once');
        isFreed = true;
        await setTimeout(FREE_MS);
        this.live--;
        this.freedCount++;
      },
    };
  };
}

type Parts = Awaited<ReturnType<Machine['load']>>;
/** However busy the machine is. */
async function until(condition: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 20_000; !condition() && performance.now() < deadline; ) await setTimeout(5);
  assert.ok(condition(), 'it never came');
}

const numberOf = async ({ number }: Parts) => number;
const lingering = async ({ number }: Parts) => {
  await setTimeout(30);
  return number;
};

test('users side by side share one load, and the last one starts the clock', async () => {
  const machine = new Machine();
  const parts = new ResidentParts({ load: machine.load, idleUnloadMs: 25 });
  assert.equal(parts.isLoaded, false);
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => parts.use(undefined, lingering))), [1, 1, 1]);
  assert.equal(parts.isLoaded, true);
  assert.equal(await parts.use(undefined, lingering), 1, 'longer in use than the idle time');
  await until(() => machine.live === 0);
  assert.deepEqual([parts.isLoaded, machine.freedCount], [false, 1]);
  assert.equal(await parts.use(undefined, numberOf), 2);
  await parts.dispose();
  assert.deepEqual([machine.live, machine.mostLive], [0, 1]);
});

test('without an idle time they stay', async () => {
  const machine = new Machine();
  const parts = new ResidentParts({ load: machine.load });
  await parts.use(undefined, numberOf);
  await setTimeout(60);
  assert.equal(await parts.use(undefined, numberOf), 1);
  await parts.dispose();
});

test('who comes while they are let go waits, and never are two copies in memory', async () => {
  const machine = new Machine();
  const parts = new ResidentParts({ load: machine.load });
  await parts.use(undefined, numberOf);
  const unloading = parts.unload();
  assert.deepEqual([parts.isLoaded, machine.live], [false, 1], 'on the way out');
  const [gone, number] = await Promise.all([unloading, parts.use(undefined, numberOf)]);
  assert.deepEqual([gone, number, machine.mostLive], [true, 2, 1]);
  await parts.dispose();
});

test('what is in use is not unloaded by hand', async () => {
  const machine = new Machine();
  const parts = new ResidentParts({ load: machine.load });
  const using = parts.use(undefined, lingering);
  assert.equal(await parts.unload(), false);
  assert.equal(await using, 1);
  assert.equal(await parts.unload(), true);
  assert.equal(await parts.unload(), true, 'nothing is there');
  assert.deepEqual([machine.loadCount, machine.live], [1, 0]);
});

test('a signal is heard at once, a load that nobody waits for ends, and the next comes through', async () => {
  const machine = new Machine();
  const parts = new ResidentParts({ load: machine.load, idleUnloadMs: 1000 });
  const controller = new AbortController();
  const left = assert.rejects(parts.use(controller.signal, numberOf), { code: 'ERR_ABORTED' });
  await setTimeout(5);
  controller.abort();
  const next = parts.use(undefined, numberOf); // before the load has noticed
  await left;
  assert.equal(await next, 1, 'one waits still: the load goes on');
  await parts.unload();

  const alone = new AbortController();
  const alone1 = assert.rejects(parts.use(alone.signal, numberOf), { code: 'ERR_ABORTED' });
  await setTimeout(5);
  alone.abort();
  await alone1;
  assert.equal(await parts.use(undefined, numberOf), 3, 'behind the end of the one that was given up');
  assert.deepEqual([machine.abortedCount, machine.mostLive], [1, 1]);
  await parts.dispose();
  assert.equal(machine.live, 0);
});

test('a load that fails fails for those who wait, and the next tries again', async () => {
  const machine = new Machine();
  const parts = new ResidentParts({ load: machine.load, idleUnloadMs: 5 });
  machine.failures.push(new RangeError('gone'));
  const both = await Promise.allSettled([parts.use(undefined, numberOf), parts.use(undefined, numberOf)]);
  assert.deepEqual(
    both.map((one) => one.status === 'rejected' && one.reason instanceof RangeError),
    [true, true],
  );
  assert.equal(parts.isLoaded, false);
  assert.equal(await parts.use(undefined, numberOf), 2);
  await parts.dispose();
  assert.equal(machine.live, 0);
});

test('looking loads nothing and does not put off the unloading', async () => {
  const machine = new Machine();
  const parts = new ResidentParts({ load: machine.load, idleUnloadMs: 60 });
  assert.equal(await parts.look(numberOf), undefined);
  await parts.use(undefined, numberOf);
  for (let i = 0; i < 6; i++) {
    await parts.look(numberOf);
    await setTimeout(20);
  }
  assert.equal(parts.isLoaded, false);
  const looked = new ResidentParts({ load: machine.load, idleUnloadMs: 10 });
  await looked.use(undefined, numberOf);
  await looked.look(lingering); // the time is over while it looks
  await until(() => machine.live === 0);
  assert.equal(looked.isLoaded, false);
});

test('disposing ends a load, and waits for what is on the way out', async () => {
  const machine = new Machine();
  const parts = new ResidentParts({ load: machine.load });
  const controller = new AbortController();
  const waiting = assert.rejects(parts.use(controller.signal, numberOf), { code: 'ERR_ABORTED' });
  await setTimeout(5);
  controller.abort();
  await parts.dispose();
  await waiting;
  assert.deepEqual([machine.live, machine.abortedCount], [0, 1]);

  const other = new ResidentParts({ load: machine.load });
  await other.use(undefined, numberOf);
  void other.unload();
  await other.dispose();
  assert.equal(machine.live, 0);
});

test('a freeing that fails is told once, to whoever let go; by the idle time as a warning', async () => {
  const load = async () => ({ dispose: () => Promise.reject(new RangeError('stuck')) });
  const parts = new ResidentParts({ load });
  await parts.use(undefined, async () => undefined);
  await assert.rejects(parts.unload(), /stuck/);
  assert.equal(await parts.unload(), true, 'told already');
  await parts.use(undefined, async () => undefined);
  await assert.rejects(parts.dispose(), /stuck/);
  await parts.dispose();

  const warnings: Error[] = [];
  const listen = (warning: Error) => warnings.push(warning);
  process.on('warning', listen);
  try {
    const idle = new ResidentParts({ load, idleUnloadMs: 1 });
    await idle.use(undefined, async () => undefined);
    await until(() => warnings.length > 0);
    assert.equal(await idle.unload(), true);
    await idle.dispose();
    assert.deepEqual(warnings.map(String), ['RangeError: stuck']);
  } finally {
    process.off('warning', listen);
  }
});

test('after dispose nobody can use them, and nothing is loaded again', async () => {
  const machine = new Machine();
  const parts = new ResidentParts({ load: machine.load });
  await parts.use(undefined, numberOf);
  await parts.dispose();
  await assert.rejects(parts.use(undefined, numberOf), { code: 'ERR_DISPOSED' });
  assert.equal(await parts.look(numberOf), undefined);
  assert.equal(await parts.unload(), true);
  assert.deepEqual([machine.loadCount, machine.live], [1, 0]);
});

test('who looks keeps them, too', async () => {
  const machine = new Machine();
  const parts = new ResidentParts({ load: machine.load });
  await parts.use(undefined, numberOf);
  const looking = parts.look(lingering);
  assert.equal(await parts.unload(), false);
  assert.equal(await looking, 1);
  await parts.dispose();
});

test('at any moment: users, signals and unloadings at random, and at the end nothing is left', async () => {
  const machine = new Machine();
  const parts = new ResidentParts({ load: machine.load, idleUnloadMs: 2 });
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const outcomes = await Promise.allSettled(
    Array.from({ length: 150 }, async () => {
      await setTimeout(random(900));
      const signal = random(3) === 0 ? AbortSignal.timeout(random(30)) : undefined;
      if (random(5) === 0) await parts.unload();
      if (random(20) === 0) machine.failures.push(new RangeError('gone'));
      return await parts.use(signal, async ({ number }) => {
        const { freedCount } = machine;
        await setTimeout(random(8));
        assert.equal(machine.freedCount, freedCount, `${number} was freed while it was used`);
      });
    }),
  );
  await parts.dispose();
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue;
    assert.ok(outcome.reason instanceof RangeError || outcome.reason.code === 'ERR_ABORTED', String(outcome.reason));
  }
  assert.ok(machine.freedCount > 1, `only ${machine.freedCount} times let go`);
  assert.ok(outcomes.filter(({ status }) => status === 'fulfilled').length > 50);
  assert.deepEqual([machine.live, machine.mostLive], [0, 1]);
});
