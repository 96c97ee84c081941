/** An Eta that gives its memory up when nobody asks, and loads again for whoever asks next. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AbortError, type Eta, type EtaResult, type LoadEtaOptions, UsageError } from '../../src/index.js';
import { assertFreed, CLEAN, collect, loadTiny, pictures, QUESTION, tinyModels, UNSAFE } from './tiny.js';

const scratch = mkdtempSync(join(tmpdir(), 'eta-vlm-idle-'));
after(() => rmSync(scratch, { recursive: true }));

const ALIGNED = { ...QUESTION, thresholds: UNSAFE, whenStillUnsafe: 'return' } as const;

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 20_000; !condition() && performance.now() < deadline; ) await setTimeout(5);
  assert.ok(condition(), 'it never came');
}

/** Copies of the tiny models that a test may break. */
function ownModels(name: string) {
  const folder = join(scratch, name);
  cpSync(tinyModels.clip, join(folder, 'clip'), { recursive: true });
  cpSync(tinyModels.rewardModel, join(folder, 'reward'), { recursive: true });
  for (const part of ['languageModel', 'projector'] as const) cpSync(tinyModels[part], join(folder, `${part}.gguf`));
  return {
    languageModel: join(folder, 'languageModel.gguf'),
    projector: join(folder, 'projector.gguf'),
    clip: join(folder, 'clip'),
    rewardModel: join(folder, 'reward'),
  };
}

test('an idle time lets it all go; the next request loads, and answers the same', async () => {
  await using eta = await loadTiny({ idleUnloadMs: 30 });
  const { facts } = eta;
  const first = await eta.respond(ALIGNED);
  await until(() => !eta.isLoaded);
  assert.equal(eta.facts, facts, 'readable while nothing is loaded');
  assert.deepEqual(await eta.statistics(), {
    usedCellCount: 0,
    keptCellCount: 0,
    keptSequenceCount: 0,
    liveSequenceCount: 0,
    imageCount: 0,
    stepCount: 0,
    rowCount: 0,
    forkCount: 0,
    decodeMs: 0,
    sampleMs: 0,
    threadCount: 0,
  });
  assert.equal(eta.isLoaded, false, 'asking for statistics loads nothing');
  const again = await collect(eta, ALIGNED);
  const candidates = ({ trace }: EtaResult) => trace.rounds.map((round) => round.candidates);
  assert.deepEqual([again.result.text, candidates(again.result)], [first.text, candidates(first)]);
  assert.equal(eta.facts, facts, 'the same devices as before');
  await until(() => !eta.isLoaded);
  const turns = [
    { role: 'user', text: 'What is in the picture?', images: [pictures[0]] },
    { role: 'assistant', text: 'A square.' },
    { role: 'user', text: 'And its colour?' },
  ] as const;
  assert.ok((await eta.respond({ turns, seed: 1, thresholds: CLEAN })).usage.promptTokenCount > 0);
});

test('without it nothing goes; by hand it goes at once, unless a request is under way', async () => {
  await using eta = await loadTiny();
  const answering = eta.respond(ALIGNED);
  assert.equal(await eta.unload(), false);
  const { text } = await answering;
  assert.equal(eta.isLoaded, true);
  const unloading = eta.unload();
  assert.equal(eta.isLoaded, false);
  const next = eta.respond(ALIGNED); // at the very moment of unloading
  assert.equal(await unloading, true);
  assert.equal((await next).text, text);
  await assertFreed(eta, 'all');
});

test('requests that come while it goes and comes are all served, side by side', async () => {
  await using eta = await loadTiny({ idleUnloadMs: 1 });
  const { text } = await eta.respond(QUESTION);
  for (let round = 0; round < 4; round++) {
    await setTimeout(round * 5);
    const answers = await Promise.all(Array.from({ length: 8 }, () => eta.respond(QUESTION)));
    assert.deepEqual(new Set(answers.map((answer) => answer.text)), new Set([text]));
  }
});

test('a signal is heard during the load, and the next request is served', async () => {
  await using eta = await loadTiny();
  assert.equal(await eta.unload(), true);
  const reason = new RangeError('too slow');
  const controller = new AbortController();
  const waiting = eta.respond({ ...QUESTION, signal: controller.signal });
  await setTimeout(10);
  controller.abort(reason);
  await assert.rejects(waiting, (error) => error instanceof AbortError && error.cause === reason);
  const stream = eta.stream(QUESTION);
  const first = stream.next();
  await stream.return(); // leaving while it loads
  assert.equal((await first).done, false);
  assert.ok((await eta.respond(QUESTION)).text.length > 0);
});

test('dispose while unloaded, while unloading and while loading', async () => {
  const phases: ((eta: Eta) => Promise<unknown>)[] = [
    async (eta) => await eta.unload(),
    async (eta) => void eta.unload(),
    async (eta) => {
      await eta.unload();
      void eta.respond(QUESTION).catch(() => undefined);
      await setTimeout(10);
    },
  ];
  for (const phase of phases) {
    const eta = await loadTiny({ idleUnloadMs: 50 });
    await phase(eta);
    const waiting = assert.rejects(eta.respond(QUESTION), disposed);
    await eta.dispose();
    await waiting;
    await assert.rejects(eta.unload(), disposed);
    assert.equal(eta.facts.models.projector, tinyModels.projector);
  }
});

function disposed(error: unknown): boolean {
  assert.ok(error instanceof UsageError && error.code === 'ERR_DISPOSED', String(error));
  return true;
}

test('a file that is gone fails that request alone; back again, the next is served', async () => {
  const models = ownModels('gone');
  await using eta = await loadTiny({ models });
  const { text } = await eta.respond(QUESTION);
  for (const path of [models.languageModel, models.projector, models.clip, join(models.rewardModel, 'model.onnx')]) {
    await eta.unload();
    renameSync(path, `${path}.away`);
    await assert.rejects(eta.respond(QUESTION), { code: 'ERR_MODEL_NOT_FOUND' });
    await assert.rejects(collect(eta, QUESTION), { code: 'ERR_MODEL_NOT_FOUND' });
    assert.equal(eta.isLoaded, false);
    renameSync(`${path}.away`, path);
    assert.equal((await eta.respond(QUESTION)).text, text);
  }
});

test('files that changed meanwhile are refused: thresholds and facts belong to the first ones', async () => {
  const models = ownModels('changed');
  const changes: readonly [path: string, code: string][] = [
    [models.languageModel, 'ERR_MODEL_MISMATCH'],
    [models.projector, 'ERR_MODEL_MISMATCH'],
    [join(models.clip, 'manifest.json'), 'ERR_MODEL_MISMATCH'],
    [join(models.rewardModel, 'manifest.json'), 'ERR_MODEL_MISMATCH'],
    [join(models.rewardModel, 'model.onnx'), 'ERR_MODEL_INVALID'], // its hash stands in the manifest
  ];
  const WRITTEN = new Date('2026-01-02T03:04:05Z');
  for (const [path] of changes) utimesSync(path, WRITTEN, WRITTEN);
  await using eta = await loadTiny({ models });
  for (const [path, code] of changes) {
    await eta.unload();
    const whole = readFileSync(path);
    const other = Buffer.from(whole);
    other[other.length - 2] = (other.at(-2) ?? 0) ^ 1; // of the same size
    writeFileSync(path, other);
    await assert.rejects(eta.respond(QUESTION), { code });
    writeFileSync(path, whole);
    utimesSync(path, WRITTEN, WRITTEN);
    assert.ok((await eta.respond(QUESTION)).text.length > 0, path);
  }
});

test('progress, and what it throws, belong to each load', async () => {
  const seen = new Set<string>();
  let refuses = false;
  const onProgress: LoadEtaOptions['onProgress'] = ({ part }) => {
    if (refuses) throw new RangeError('no more');
    seen.add(part);
  };
  await using eta = await loadTiny({ onProgress });
  await eta.unload();
  seen.clear();
  await eta.respond(QUESTION);
  assert.deepEqual([...seen].sort(), ['clip', 'language-model', 'reward-model']);
  await eta.unload();
  refuses = true;
  await assert.rejects(eta.respond(QUESTION), RangeError);
  refuses = false;
  assert.ok((await eta.respond(QUESTION)).text.length > 0);
});

test('a wrong option is refused', async () => {
  for (const idleUnloadMs of [0, -1, 1.5, 2 ** 31, Number.NaN]) {
    await assert.rejects(loadTiny({ idleUnloadMs }), { code: 'ERR_INVALID_OPTION', message: /idleUnloadMs/ });
  }
});

test('the clock does not keep the process alive, and its end is clean while it goes or comes', async () => {
  const tiny = JSON.stringify(new URL('./tiny.ts', import.meta.url).href);
  const endings = [
    ['loadTiny({ idleUnloadMs: 600_000 })', 'await eta.respond(QUESTION);'],
    ['loadTiny()', 'void eta.unload(); process.exit(0);'],
    ['loadTiny()', 'await eta.unload(); void eta.respond(QUESTION); setTimeout(() => process.exit(0), 40);'],
    ['loadTiny()', 'await eta.unload();'],
  ];
  for (const [load, body] of endings) {
    const code = `const { loadTiny, QUESTION } = await import(${tiny}); const eta = await ${load}; ${body}`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
      timeout: 60_000,
    });
    let errors = '';
    child.stderr.on('data', (data) => (errors += data));
    const ended = await new Promise((resolve) =>
      child.on('close', (status, signal) => resolve({ status, signal, errors })),
    );
    assert.deepEqual(ended, { status: 0, signal: null, errors: '' }, body);
  }
});

test('memory does not grow from round to round, and comes back when it is let go', async () => {
  const tiny = JSON.stringify(new URL('./tiny.ts', import.meta.url).href);
  const growth = async (between: string) => {
    const code = `
      const { loadTiny, QUESTION, UNSAFE } = await import(${tiny});
      const request = { ...QUESTION, thresholds: UNSAFE, whenStillUnsafe: 'return' };
      const options = { contextSize: 65_536 }; // some 30 MiB
      const kept = [];
      let eta = await loadTiny(options);
      const sizes = [];
      for (let round = 0; round < 10; round++) {
        await eta.respond(request);
        ${between}
        gc();
        sizes.push(process.memoryUsage.rss() / 2 ** 20);
      }
      console.log(JSON.stringify(sizes));
      process.exit();`;
    const child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', '--input-type=module', '-e', code], {
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (errors += data)); // ten at once warn of their listeners
    const status = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(status, 0, errors);
    const sizes = JSON.parse(output) as number[];
    return (sizes.at(-1) ?? Number.NaN) - (sizes[2] ?? Number.NaN); // the first rounds warm up
  };
  const LEAST_LEAK_MIB = 100; // seven rounds of one that is kept
  const grown = {
    unloaded: await growth('await eta.unload();'),
    disposed: await growth('await eta.dispose(); eta = await loadTiny(options);'),
    kept: await growth('kept.push(eta); eta = await loadTiny(options);'),
  };
  assert.ok(grown.unloaded < LEAST_LEAK_MIB && grown.disposed < LEAST_LEAK_MIB, JSON.stringify(grown));
  assert.ok(grown.kept > LEAST_LEAK_MIB, `the control: ${JSON.stringify(grown)}`);
});
