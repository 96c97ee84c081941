import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Clip } from '../../src/clip/clip.js';
import { openGraph } from '../../src/onnx/graph.js';
import { EvaluatorWorker } from '../../src/onnx/worker.js';
import type { Feed } from '../../src/onnx/worker-messages.js';
import { RewardModel } from '../../src/reward/model.js';
import { golden, goldenFolder } from './golden.js';

const FOLDER = `${goldenFolder}reward-scalar`;
const PROMPT = [{ role: 'user' as const, content: golden.prompt }];
const LONG = 'dogs and cats '.repeat(200);

test('dispose waits for the run in progress and refuses the queued ones', async () => {
  const worker = await EvaluatorWorker.start();
  const model = await RewardModel.load({ worker, folder: FOLDER });
  const scores = [LONG, 'x', 'y'].map((answer) => model.score(PROMPT, answer));
  const settled = Promise.allSettled(scores);
  await Promise.resolve();
  await Promise.all([worker.dispose(), worker.dispose()]);
  for (const result of await settled) {
    assert.equal(result.status, 'rejected');
    assert.equal((result as PromiseRejectedResult).reason.code, 'ERR_DISPOSED');
  }
  await assert.rejects(model.score(PROMPT, 'x'), { code: 'ERR_DISPOSED' });
  await model.dispose();
});

test('two workers at once', async () => {
  const workers = await Promise.all([EvaluatorWorker.start(), EvaluatorWorker.start()]);
  const models = await Promise.all(workers.map((worker) => RewardModel.load({ worker, folder: FOLDER })));
  const [one, two] = await Promise.all(models.map((model) => model.score(PROMPT, 'hello')));
  assert.equal(one, two);
  await Promise.all(workers.map((worker) => worker.dispose()));
});

test('what is asked before onnxruntime is loaded is done, in order; what is begun can be disposed of', async () => {
  const started = await EvaluatorWorker.start();
  const expected = await (await RewardModel.load({ worker: started, folder: FOLDER })).score(PROMPT, 'hello');
  await started.dispose();
  const begun = EvaluatorWorker.begin();
  const loading = RewardModel.load({ worker: begun, folder: FOLDER });
  assert.equal(await (await loading).score(PROMPT, 'hello'), expected);
  await begun.ready;
  await begun.dispose();
  for (const waitMs of [0, 10, 60]) {
    const other = EvaluatorWorker.begin();
    const lost = assert.rejects(RewardModel.load({ worker: other, folder: FOLDER }), { name: /Error$/ });
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    await other.dispose();
    await lost;
    await other.ready;
  }
});

test('a graph that is none is an error of the model, and the worker goes on', async () => {
  const worker = await EvaluatorWorker.start();
  for (const path of [fileURLToPath(import.meta.url), '/nowhere/model.onnx']) {
    const opening = openGraph(worker, { path, cache: null, provider: 'cpu' });
    await assert.rejects(opening, { code: 'ERR_MODEL_INVALID' });
  }
  const model = await RewardModel.load({ worker, folder: FOLDER });
  assert.ok(Number.isFinite(await model.score(PROMPT, 'x')));
  await worker.dispose();
});

test('a wrong run is an EvaluatorError, and the next one is right', async () => {
  const worker = await EvaluatorWorker.start();
  const model = await RewardModel.load({ worker, folder: FOLDER });
  await assert.rejects(worker.run({ session: 999, feeds: {}, outputs: [] }), { code: 'ERR_EVALUATOR' });
  assert.ok(Number.isFinite(await model.score(PROMPT, 'x')));
  await worker.dispose();
});

test('idle threads do not spin: a run leaves little CPU time behind', async () => {
  const worker = await EvaluatorWorker.start({ threadCount: 2 });
  const model = await RewardModel.load({ worker, folder: FOLDER });
  const spentMs: number[] = [];
  for (let i = 0; i < 5; i++) {
    await model.score(PROMPT, `answer ${i}`);
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 40));
    const { user, system } = process.cpuUsage(before);
    spentMs.push((user + system) / 1000);
  }
  await worker.dispose();
  // The least of all: threads that spin do so after every run, the garbage collector does not.
  assert.ok(Math.min(...spentMs) < 15, `${spentMs.join(', ')} ms of CPU time in the 40 ms after a run`);
});

test('the event loop stays free while the graph runs', async () => {
  const worker = await EvaluatorWorker.start();
  const model = await RewardModel.load({ worker, folder: FOLDER });
  const gaps: number[] = [];
  // Three tries: on a busy machine a gap may be the system's.
  for (let attempt = 0; attempt < 3; attempt++) {
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    for (let i = 0; i < 5; i++) await model.score([{ role: 'user', content: `prompt ${attempt} ${i}` }], LONG);
    clearInterval(timer);
    gaps.push(longest);
  }
  await worker.dispose();
  assert.ok(Math.min(...gaps) < 50, `longest gaps ${gaps.join(', ')} ms`);
});

test('a thread that dies: EvaluatorError for the pending call, the queued one and later ones', async () => {
  const worker = await EvaluatorWorker.start();
  const model = await RewardModel.load({ worker, folder: FOLDER });
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (this: Worker) {
    Worker.prototype.postMessage = postMessage;
    void this.terminate();
  };
  const results = await Promise.allSettled([
    model.score(PROMPT, 'x'),
    model.score([{ role: 'user', content: 'other' }], 'x'),
  ]);
  for (const result of results) assert.equal(result.status === 'rejected' && result.reason.code, 'ERR_EVALUATOR');
  await assert.rejects(model.score(PROMPT, 'x'), {
    name: 'EvaluatorError',
    code: 'ERR_EVALUATOR',
    message: /ended.*Start a new one/,
  });
  await model.dispose();
  await worker.dispose();
});

/** Runs a script that ends in some way; resolves to its exit code, the signal that ended it and what it wrote. */
function runScript(body: string): Promise<{ code: number | null; signal: string | null; stderr: string }> {
  const source = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);
  const script = `
    import { EvaluatorWorker } from ${source('onnx/worker.ts')};
    import { RewardModel } from ${source('reward/model.ts')};
    const folder = ${JSON.stringify(FOLDER)};
    const prompt = [{ role: 'user', content: 'a prompt' }];
    const long = 'dogs and cats '.repeat(60);
    const load = async () => RewardModel.load({ worker: await EvaluatorWorker.start(), folder });
    ${body}`;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (text) => (stderr += text));
    const killer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(killer);
      resolve({ code, signal, stderr });
    });
  });
}

const BUSY_RUNS =
  'for (let i = 0; i < 40; i++) model.score([{ role: "user", content: long + i }], long).catch(() => undefined);';
const ENDINGS: [string, string][] = [
  ['the script ends, nothing disposed', 'const model = await load(); await model.score(prompt, "x");'],
  ['process.exit() while starting', 'void EvaluatorWorker.start(); process.exit(0);'],
  ['the script ends while starting', 'EvaluatorWorker.begin();'],
  [
    'process.exit() while what was asked early is done',
    'void RewardModel.load({ worker: EvaluatorWorker.begin(), folder }).catch(() => undefined); setTimeout(() => process.exit(0), 200);',
  ],
  [
    'process.exit() while loading',
    'const worker = await EvaluatorWorker.start(); void RewardModel.load({ worker, folder }); setTimeout(() => process.exit(0), 30);',
  ],
  ['process.exit() when idle', 'await load(); process.exit(0);'],
  [
    'process.exit() during runs, 5 ms in',
    `const model = await load(); ${BUSY_RUNS} setTimeout(() => process.exit(0), 5);`,
  ],
  [
    'process.exit() during runs, 20 ms in',
    `const model = await load(); ${BUSY_RUNS} setTimeout(() => process.exit(0), 20);`,
  ],
  [
    'process.exit() during runs, 45 ms in',
    `const model = await load(); ${BUSY_RUNS} setTimeout(() => process.exit(0), 45);`,
  ],
  [
    'process.exit() while disposing',
    `const worker = await EvaluatorWorker.start(); const model = await RewardModel.load({ worker, folder }); ${BUSY_RUNS} setTimeout(() => { void worker.dispose(); process.exit(0); }, 10);`,
  ],
];
for (const [how, body] of ENDINGS) {
  test(`no crash and no hang: ${how}`, async () => {
    const { code, signal, stderr } = await runScript(body);
    assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
  });
}

test('an exception during runs ends with its own exit code, not with an abort', async () => {
  const { code, stderr } = await runScript(
    `const model = await load(); ${BUSY_RUNS} setTimeout(() => { throw new Error('boom'); }, 15);`,
  );
  assert.equal(code, 1);
  assert.match(stderr, /boom/);
  assert.doesNotMatch(stderr, /terminate called/);
});

/** One run of some hundred milliseconds, and the exit in the middle of it. */
const LONG_RUN = `
  const { openGraph } = await import(GRAPH);
  const { packTree } = await import(TREE);
  const { RewardGraph } = await import(REWARD);
  const { readManifest, graphManifestSchema } = await import(MANIFEST);
  const worker = await EvaluatorWorker.start({ threadCount: 1 });
  const manifest = await readManifest(folder, graphManifestSchema);
  const { session } = await openGraph(worker, { path: folder + '/model.onnx', cache: manifest.cache, provider: 'cpu' });
  const statistics = { ranTokenCount: 0, cachedTokenCount: 0, runCount: 0, runMs: 0, cutTokenCount: 0 };
  const layout = packTree(0, Array.from({ length: 3000 }, (_, i) => i % 200), []);
  void new RewardGraph(worker, session, manifest).run(layout, { past: null, pastLength: 0, outputs: ['scores'], statistics });
  `.replace(/GRAPH|TREE|REWARD|MANIFEST/g, (name) => {
  const file = {
    GRAPH: 'onnx/graph',
    TREE: 'reward/packed-tree',
    REWARD: 'reward/graph',
    MANIFEST: 'manifest/manifest',
  }[name];
  return JSON.stringify(new URL(`../../src/${file}.ts`, import.meta.url).href);
});

test('process.exit() in the middle of a long run waits for its end', async () => {
  const { code, signal, stderr } = await runScript(`${LONG_RUN} setTimeout(() => process.exit(0), 80);`);
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
});

test('negative control: without the exit handler the same script aborts', async () => {
  const { code, signal } = await runScript(
    `${LONG_RUN} setTimeout(() => { process.removeAllListeners('exit'); process.exit(0); }, 80);`,
  );
  assert.deepEqual({ code, signal }, { code: null, signal: 'SIGABRT' });
});

function feedOf(data: ArrayBuffer | SharedArrayBuffer) {
  return { type: 'float32', data: data as ArrayBuffer, dims: [1, 1] } as const;
}

test('a message that cannot be sent fails alone: the queue goes on, and dispose ends', async () => {
  const worker = await EvaluatorWorker.start();
  const model = await RewardModel.load({ worker, folder: FOLDER });
  const gone = new ArrayBuffer(4);
  structuredClone(gone, { transfer: [gone] });
  const twice = new ArrayBuffer(4);
  const unsent: Record<string, Feed>[] = [
    { x: feedOf(twice), y: feedOf(twice) },
    { x: feedOf(new SharedArrayBuffer(4)) },
    { x: { ...feedOf(new ArrayBuffer(4)), dims: [(() => 1) as never] } },
  ];
  const good = model.score(PROMPT, 'x');
  const results = Promise.allSettled(unsent.map((feeds) => worker.run({ session: 1, feeds, outputs: [] })));
  const later = model.score(PROMPT, 'x');
  for (const result of await results) {
    assert.ok(result.status === 'rejected' && result.reason.code === 'ERR_EVALUATOR', JSON.stringify(result));
    assert.match(result.reason.message, /can be sent to the evaluator thread/);
  }
  assert.equal(await later, await good);
  await assert.rejects(worker.run({ session: 1, feeds: { x: feedOf(gone) }, outputs: [] }), { code: 'ERR_EVALUATOR' });
  const idle = worker.run({ session: 1, feeds: unsent[1] ?? {}, outputs: [] });
  await assert.rejects(idle, { code: 'ERR_EVALUATOR' });
  assert.equal(await model.score(PROMPT, 'x'), await good);
  const disposing = [worker.run({ session: 1, feeds: { x: feedOf(gone) }, outputs: [] }), worker.dispose()];
  await Promise.allSettled(disposing);
  await assert.rejects(model.score(PROMPT, 'x'), { code: 'ERR_DISPOSED' });
});

test('many runs of one signal are one listener, and leave none', async () => {
  const worker = await EvaluatorWorker.start();
  const model = await RewardModel.load({ worker, folder: FOLDER });
  const controller = new AbortController();
  const { signal } = controller;
  const scores = Array.from({ length: 20 }, (_, i) => model.score(PROMPT, `answer ${i}`, { signal }));
  assert.ok(getEventListeners(signal, 'abort').length <= 1);
  await Promise.all(scores);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  const queued = Array.from({ length: 20 }, (_, i) => model.score(PROMPT, `other ${i}`, { signal }));
  controller.abort();
  for (const one of await Promise.allSettled(queued)) {
    assert.equal(one.status === 'rejected' && one.reason.code, 'ERR_ABORTED');
  }
  await worker.dispose();
});

test('a load hears its signal between files, graphs and tests, and closes what it opened', async () => {
  const worker = await EvaluatorWorker.start();
  const folder = `${goldenFolder}clip`;
  await assert.rejects(Clip.load({ worker, folder, signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' });
  const opened = new Set<number>();
  const [open, run, close] = [worker.open.bind(worker), worker.run.bind(worker), worker.close.bind(worker)];
  for (const stopAt of ['open 1', 'open 2', 'run 1', 'run 2']) {
    const controller = new AbortController();
    const counts = { open: 0, run: 0 };
    // Once the message is sent, so that the signal fires while the thread is at it.
    const step = async <Value>(name: 'open' | 'run', begin: () => Promise<Value>) => {
      const begun = begin();
      if (stopAt === `${name} ${++counts[name]}`) controller.abort();
      return await begun;
    };
    // One that is refused, the worker closes by itself: opening.test.ts.
    worker.open = async (session, ...rest) => {
      const facts = await step('open', () => open(session, ...rest));
      opened.add(session);
      return facts;
    };
    worker.run = (...given) => step('run', () => run(...given));
    worker.close = (session) => {
      opened.delete(session);
      return close(session);
    };
    await assert.rejects(Clip.load({ worker, folder, signal: controller.signal }), { code: 'ERR_ABORTED' });
    const [stoppedIn, count] = stopAt.split(' ');
    assert.equal(counts[stoppedIn as 'open' | 'run'], Number(count), stopAt);
    assert.deepEqual([...opened], [], stopAt);
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  }
  const clip = await Clip.load({ worker, folder });
  await clip.dispose();
  await worker.dispose();
});
