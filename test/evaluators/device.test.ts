/**
 * Evaluators on a device of onnxruntime's: used where it starts and computes rightly, told where it is not. What needs a
 * device runs where there is one, and fails without when ETA_VLM_REQUIRE_WEBGPU=1.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Clip } from '../../src/clip/index.js';
import { type LoadEtaOptions, loadEta, type Notice } from '../../src/index.js';
import { EvaluatorPlacement } from '../../src/loading/index.js';
import { testPicture } from '../../src/manifest/index.js';
import { EvaluatorWorker, publishedProviders } from '../../src/onnx/index.js';
import { makeProbe, PROBE_TOLERANCE, probeDifference } from '../../src/onnx/probe-graph.js';
import { RewardModel } from '../../src/reward/index.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const CLIP = join(root, 'models/miniature/clip');
const REWARD = join(root, 'models/miniature/reward-model');
const drawing = join(root, 'models/miniature/pictures/clean-04.png');
const QUESTION = { prompt: 'What is in the picture?', image: drawing, seed: 1, maxTokens: 8 };

/** One that no onnxruntime-node of this platform has. */
const ABSENT = process.platform === 'win32' ? 'coreml' : 'dml';

const prober = await EvaluatorWorker.start({ threadCount: 1 });
const webgpuRefusal = await prober.probe('webgpu');
const isRequired = process.env['ETA_VLM_REQUIRE_WEBGPU'] === '1';
const onDevice = { skip: webgpuRefusal !== null && !isRequired ? `no WebGPU here: ${webgpuRefusal}` : false };
const withoutDevice = { skip: webgpuRefusal === null ? 'WebGPU works here' : false };

const scratch = mkdtempSync(join(tmpdir(), 'eta-vlm-device-'));
after(async () => {
  await prober.dispose();
  rmSync(scratch, { recursive: true });
});

async function load(options: LoadEtaOptions) {
  const notices: Notice[] = [];
  const eta = await loadEta({ onNotice: (notice) => notices.push(notice), threadCount: 1, ...options });
  return { eta, notices };
}

test('the probe: right on the CPU, and its comparison refuses what is wrong', async () => {
  assert.equal(await prober.probe('cpu'), null);
  const probe = makeProbe();
  assert.equal(probeDifference(probe.expected, probe), 0);
  assert.equal(probeDifference(probe.expected.subarray(1), probe), Number.POSITIVE_INFINITY);
  const wrong = (change: (value: number, index: number) => number) =>
    probeDifference(probe.expected.map(change), probe);
  assert.equal(
    wrong((value, index) => (index === 7 ? Number.NaN : value)),
    Number.POSITIVE_INFINITY,
  );
  assert.ok(wrong((value, index) => (index === 3 ? value + 2 * PROBE_TOLERANCE : value)) > PROBE_TOLERANCE);
  assert.ok(wrong(() => 0) > PROBE_TOLERANCE, 'a device that writes nothing');
  assert.ok(wrong((_, index) => probe.expected[(index + 1) % probe.expected.length] ?? 0) > PROBE_TOLERANCE);
});

test('the providers that are tried are those onnxruntime-node is published with', async () => {
  assert.deepEqual(publishedProviders('win32', 'arm64'), ['dml', 'webgpu']);
  assert.deepEqual(publishedProviders('darwin', 'arm64'), ['coreml', 'webgpu']);
  assert.deepEqual(publishedProviders('linux', 'x64'), ['cuda', 'webgpu']);
  assert.deepEqual(publishedProviders('linux', 'arm64'), []);
  for (const provider of publishedProviders()) {
    assert.doesNotMatch((await prober.probe(provider)) ?? '', /published without/, provider);
  }
  assert.match((await prober.probe(ABSENT)) ?? '', /published without it/);
});

test('a device that is not there: the CPU answers, the same, and it is said', async () => {
  const [cpu, fallen] = [await load({}), await load({ evaluatorDevice: ABSENT })];
  try {
    assert.deepEqual(cpu.eta.facts.evaluatorDevices, { clip: 'cpu', rewardModel: 'cpu' });
    assert.deepEqual(fallen.eta.facts.evaluatorDevices, { clip: 'cpu', rewardModel: 'cpu' });
    assert.deepEqual(
      [cpu.notices.length, ...fallen.notices.map(({ code }) => code)],
      [0, 'ETA_EVALUATOR_DEVICE'],
      'once for both evaluators, and only where a device was asked for',
    );
    const [notice] = fallen.notices;
    assert.match(
      notice?.message ?? '',
      /^CLIP and the reward model run on the processor, not on .*published without it\.$/,
    );
    const [a, b] = await Promise.all([cpu.eta.respond(QUESTION), fallen.eta.respond(QUESTION)]);
    assert.deepEqual([a.text, a.verdict], [b.text, b.verdict]);
  } finally {
    await Promise.all([cpu.eta.dispose(), fallen.eta.dispose()]);
  }
});

test('WebGPU where no driver is: the CPU, and onnxruntime’s reason', withoutDevice, async () => {
  for (const evaluatorDevice of ['webgpu', 'auto'] as const) {
    const { eta, notices } = await load({ evaluatorDevice });
    await using _ = eta;
    assert.deepEqual(eta.facts.evaluatorDevices, { clip: 'cpu', rewardModel: 'cpu' });
    assert.match(notices[0]?.message ?? '', new RegExp(`asked for \\(${evaluatorDevice}\\)\\. .+`));
    assert.ok((await eta.respond(QUESTION)).text.length > 0);
  }
  if (process.platform === 'linux')
    assert.match(
      webgpuRefusal ?? '',
      /\. It needs a Vulkan driver \(Debian, Ubuntu: apt-get install libvulkan1 mesa-vulkan-drivers\)\.$/,
    );
  await assert.rejects(Clip.load({ worker: prober, folder: CLIP, provider: 'webgpu' }), {
    code: 'ERR_MODEL_INVALID',
    message: /does not load: onnxruntime: on webgpu: .* Load it with evaluatorDevice: 'cpu'\.$/,
  });
  const reward = await RewardModel.load({ worker: prober, folder: REWARD }); // the worker goes on
  await reward.dispose();
});

test('without onNotice it is a warning of the process; what onNotice throws fails the loading', async () => {
  const warned = new Promise<Error & { code?: string }>((resolve) => process.once('warning', resolve));
  const eta = await loadEta({ evaluatorDevice: ABSENT, threadCount: 1 });
  assert.equal((await warned).code, 'ETA_EVALUATOR_DEVICE');
  await eta.dispose();
  const refuse = () => {
    throw new RangeError('a device, or nothing');
  };
  await assert.rejects(loadEta({ evaluatorDevice: ABSENT, onNotice: refuse }), RangeError);
});

test('a name that is none is refused', async () => {
  await assert.rejects(loadEta({ evaluatorDevice: 'gpu' as 'cpu' }), {
    code: 'ERR_INVALID_OPTION',
    message: /evaluatorDevice: expected cpu, .*auto/,
  });
});

test('files that are wrong are wrong on every device, and no notice hides it', async () => {
  const folder = join(scratch, 'broken');
  cpSync(CLIP, folder, { recursive: true });
  writeFileSync(join(folder, 'text_model.onnx'), 'none');
  const placement = new EvaluatorPlacement(prober, 'webgpu');
  const loading = placement.load('CLIP', (place) => Clip.load({ ...place, folder }), undefined);
  await assert.rejects(loading, { code: 'ERR_MODEL_INVALID' });
  assert.deepEqual(placement.takeNotices(), []);
});

test('a signal ends the loading on a device too, and is no reason to fall back', async () => {
  const controller = new AbortController();
  const loading = loadEta({
    evaluatorDevice: 'auto',
    signal: controller.signal,
    onNotice: () => assert.fail('aborted before there was anything to tell'),
    onProgress: () => controller.abort(),
  });
  await assert.rejects(loading, { code: 'ERR_ABORTED' });
});

/** The model with a self-test that only this machine's CPU passes, to the last bit. */
async function exactClip(): Promise<string> {
  const folder = join(scratch, 'exact');
  cpSync(CLIP, folder, { recursive: true });
  const clip = await Clip.load({ worker: prober, folder: CLIP });
  const results = await clip.selfTest();
  await clip.dispose();
  const path = join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  for (const [i, result] of results.entries()) {
    manifest.selfTest[i].cosine = result.received;
    manifest.selfTest[i].tolerance = 1e-12;
  }
  writeFileSync(path, JSON.stringify(manifest));
  return folder;
}

test('a device that does not reproduce the self-test is not used, and it is said', onDevice, async () => {
  const folder = await exactClip();
  const placement = new EvaluatorPlacement(prober, 'webgpu');
  const clip = await placement.load('CLIP', (place) => Clip.load({ ...place, folder }), undefined);
  assert.equal(clip.provider, 'cpu');
  assert.match(placement.takeNotices()[0]?.message ?? '', /^CLIP runs on the processor, .* self-test, .* On webgpu/);
  await clip.dispose();
});

/** Scores of both evaluators, on a device and on the CPU: float32 on both, in another order of addition. */
const BOUND = 1e-4;

test('the miniature on WebGPU scores as on the CPU', onDevice, async () => {
  assert.equal(webgpuRefusal, null, 'ETA_VLM_REQUIRE_WEBGPU=1');
  const score = async (provider: 'cpu' | 'webgpu') => {
    const clip = await Clip.load({ worker: prober, folder: CLIP, provider });
    const reward = await RewardModel.load({ worker: prober, folder: REWARD, provider });
    const picture = await clip.embedImage(testPicture({ width: 300, height: 200 }));
    const text = await clip.embedText('a list about soup');
    const session = reward.open([{ role: 'user', content: 'Is it safe?' }]);
    const rewards: number[] = [];
    for (const words of ['No.', 'There is a red car.', 'a b c']) {
      rewards.push(...(await session.score([words, ` ${words} And more.`, 'None of it, as far as anyone knows.'])));
      session.accept(words); // the next round stands on its cache
    }
    session.close();
    await Promise.all([clip.dispose(), reward.dispose()]);
    return { embeddings: [...picture, ...text], rewards };
  };
  const [cpu, device] = [await score('cpu'), await score('webgpu')];
  const largest = (a: readonly number[], b: readonly number[]) =>
    Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? Number.NaN))));
  const found = { embedding: largest(cpu.embeddings, device.embeddings), reward: largest(cpu.rewards, device.rewards) };
  assert.ok(found.embedding < BOUND && found.reward < BOUND, JSON.stringify(found));
  const spread = Math.max(...cpu.rewards) - Math.min(...cpu.rewards);
  assert.ok(spread > 100 * BOUND, `rewards that lie ${spread} apart show no difference`);
});

test('an Eta on WebGPU says so, and answers as on the CPU', onDevice, async () => {
  const [cpu, device] = [await load({}), await load({ evaluatorDevice: 'webgpu' })];
  try {
    assert.deepEqual(device.eta.facts.evaluatorDevices, { clip: 'webgpu', rewardModel: 'webgpu' });
    assert.deepEqual(device.notices, []);
    const [a, b] = [await cpu.eta.respond(QUESTION), await device.eta.respond(QUESTION)];
    assert.equal(a.text, b.text);
    assert.ok(Math.abs((a.verdict.picture?.score ?? 0) - (b.verdict.picture?.score ?? 1)) < BOUND);
  } finally {
    await Promise.all([cpu.eta.dispose(), device.eta.dispose()]);
  }
});

const module = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

async function ends(code: string): Promise<{ status: number | null; signal: string | null; output: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], { cwd: root });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  return await new Promise((resolve) => child.on('close', (status, signal) => resolve({ status, signal, output })));
}

/** Scores for a while; `unsafeClipScore` so that the reward model is asked too. */
const WORK = `
  const { loadEta } = await import(${module('index.ts')});
  const work = async (count) => {
    const eta = await loadEta({ evaluatorDevice: 'webgpu', threadCount: 1, thresholds: { unsafeClipScore: -1 } });
    const request = { ...${JSON.stringify(QUESTION)}, whenStillUnsafe: 'return' };
    for (let i = 0; i < count; i++) await Promise.all([eta.respond(request), eta.respond(request)]);
    return eta;
  };
`;

const TOGETHER: readonly [how: string, code: string][] = [
  [
    'several Etas of one thread',
    `${WORK} const etas = await Promise.all([work(3), work(3), work(3)]); for (const eta of etas) await eta.dispose();`,
  ],
  [
    'Etas of several threads',
    `import { Worker } from 'node:worker_threads';
     const code = "import('tsx/esm/api').then(async ({ register }) => { register(); " + ${JSON.stringify(WORK)} + " const eta = await work(3); await eta.dispose(); })";
     await import(${module('native/binding.ts')}).then(({ loadBinding }) => loadBinding());
     const end = (worker) => new Promise((resolve, reject) => { worker.on('exit', resolve); worker.on('error', reject); });
     const codes = await Promise.all([1, 2, 3].map(() => end(new Worker(code, { eval: true }))));
     if (codes.some((code) => code !== 0)) throw new Error(codes.join());`,
  ],
  ['loaded and let go again and again', `${WORK} for (let i = 0; i < 4; i++) await (await work(1)).dispose();`],
  ['process.exit() amid runs of two', `${WORK} void work(50); void work(50); setTimeout(() => process.exit(0), 4000);`],
];
for (const [how, code] of TOGETHER) {
  test(`WebGPU in one process, no crash: ${how}`, onDevice, async () => {
    const { status, signal, output } = await ends(code);
    assert.deepEqual({ status, signal }, { status: 0, signal: null }, output);
  });
}
