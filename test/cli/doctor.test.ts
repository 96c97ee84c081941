import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { reportOf } from '../../src/cli/doctor/evaluator-devices.js';
import type { DoctorReport } from '../../src/cli/doctor/facts.js';
import { gpuAdvice, unloadedAddon } from '../../src/cli/doctor/gpu.js';
import { reportLines } from '../../src/cli/doctor/report.js';
import { size } from '../../src/terminal/size.js';
import { packageRoot, run } from './command.js';

const report = (stdout: string) => JSON.parse(stdout) as DoctorReport;

test('doctor finds everything here, and every hash matches', async () => {
  const ended = await run(['doctor', '--verify', '--json']);
  assert.equal(ended.code, 0, ended.stdout);
  assert.equal(ended.stderr, '');
  const { node, addon, onnxruntime, pictures, models, run: loaded, problems } = report(ended.stdout);
  assert.deepEqual(problems, []);
  assert.equal(node.version, process.version);
  assert.ok(addon !== null && addon.backends.length > 0);
  assert.ok(addon.devices.some(({ type }) => type === 'cpu'));
  assert.match(addon.place, /eta-vlm\.node, .*\.$/);
  assert.equal(addon.processorBackends === null, addon.route === 'source');
  assert.match(onnxruntime?.version ?? '', /^\d+\.\d+/);
  for (const format of ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff', 'bmp'])
    assert.ok(pictures?.formats.includes(format), format);
  const [miniature] = models;
  assert.equal(miniature?.name, 'miniature');
  for (const { path, sizeBytes, hash } of miniature?.files ?? []) {
    assert.ok(sizeBytes > 0, path);
    assert.equal(hash, 'matches', path);
  }
  assert.equal(loaded?.languageModel.hasVision, true);
});

test('doctor for people: neither colour nor broken lines where stdout is no terminal', async () => {
  const { code, stdout } = await run(['doctor']);
  assert.equal(code, 0);
  assert.ok(!stdout.includes('\x1b['));
  assert.match(stdout, /^ +Small trained models of a drawn world, .* not for photographs\.$/m);
  assert.match(stdout, /^pictures +jpeg, .*, bmp \(sharp \d/m);
  assert.match(stdout, /^machine +\S/m);
  assert.match(stdout, /^will run +language model \(llama F16, /m);
  assert.match(stdout, /^Everything that an answer needs is here\.$/m);
});

test('doctor for people fits a terminal', async () => {
  const found = report((await run(['doctor', '--json'])).stdout);
  for (const columns of [40, 80]) {
    const lines = reportLines(found, { paint: (_, text) => text, columns });
    assert.deepEqual(
      lines.filter((line) => line.length > columns),
      [],
    );
  }
});

test('a missing addon is a problem with its remedy, and exit code 1', async () => {
  const env = { ETA_VLM_ADDON: join(packageRoot, 'no-such-folder/eta-vlm.node') };
  const ended = await run(['doctor'], { env });
  assert.equal(ended.code, 1);
  assert.match(ended.stdout, /^addon +missing$/m);
  assert.match(ended.stdout, /^problem +native addon: /m);
  assert.match(ended.stdout, /^remedy +Install its package .*npx eta-vlm build/m);
  const asJson = await run(['doctor', '--json'], { env });
  assert.equal(asJson.code, 1);
  assert.equal(report(asJson.stdout).addon, null);
  assert.equal(report(asJson.stdout).problems.length, 1);
});

test('an addon that is there and does not load is told as that, with what would bring a GPU into use', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'eta-doctor-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const addon = join(folder, 'eta-vlm.node');
  for (const path of [addon, join(folder, 'loader.node')]) writeFileSync(path, '');
  const ended = await run(['doctor', '--json'], { env: { ETA_VLM_ADDON: addon } });
  const found = report(ended.stdout);
  assert.deepEqual([ended.code, found.addon, found.addonFile], [1, null, addon]);
  const gpu = 'Vulkan is here, and the addon does not use it: npm install it';
  const lines = reportLines({ ...found, gpuAdvice: [gpu] }, { paint: (_, text) => text, columns: 400 });
  assert.ok(lines.includes(`addon        cannot be used: ${addon}`), lines.join('\n'));
  assert.ok(lines.includes(`GPU          ${gpu}`), lines.join('\n'));
  assert.match(lines.join('\n'), /^problem +native addon: Expected a whole library .*\nremedy +Do what it says, or/m);
  const { route, gpuBackends } = unloadedAddon(addon);
  assert.equal(route, 'prebuilt');
  const vulkan = { hasNvidiaDriver: false, hasVulkan: true };
  const isInstalled = gpuBackends.some(({ package: name }) => name.endsWith('-vulkan'));
  assert.equal(gpuAdvice({ route, devices: [], gpuBackends }, vulkan).length, isInstalled ? 0 : 1);
});

test('doctor names the package that would bring a GPU into use, and none where one is in use or nothing is there', () => {
  const prebuilt = { route: 'prebuilt', devices: [{ type: 'cpu' }], gpuBackends: [] };
  const nvidia = { hasNvidiaDriver: true, hasVulkan: false };
  const vulkan = { hasNvidiaDriver: false, hasVulkan: true };
  const [cuda = '', orVulkan = ''] = gpuAdvice(prebuilt, nvidia);
  assert.match(
    cuda,
    /^An NVIDIA driver is here.*npm install --save-exact @node-llama-cpp\/\S+-cuda@3\.\d+\.\d+ \(it needs the CUDA 13/,
  );
  assert.match(orVulkan, /^Or by Vulkan: npm install --save-exact @node-llama-cpp\/\S+-vulkan@/);
  assert.match(
    gpuAdvice(prebuilt, vulkan).join(),
    /^Vulkan is here.*npm install --save-exact @node-llama-cpp\/\S+-vulkan@/,
  );
  assert.match(gpuAdvice({ ...prebuilt, route: 'source' }, vulkan).join(), /npx eta-vlm build --vulkan/);
  assert.deepEqual(gpuAdvice(prebuilt, { hasNvidiaDriver: false, hasVulkan: false }), []);
  assert.deepEqual(gpuAdvice({ ...prebuilt, devices: [{ type: 'gpu' }] }, nvidia), []);
  const installed = [{ package: '@node-llama-cpp/linux-x64-vulkan', problem: 'libvulkan.so.1 is missing' }];
  assert.deepEqual(gpuAdvice({ ...prebuilt, gpuBackends: installed }, vulkan), [], 'its problem is told already');
});

test('doctor tells which GPU packages are loaded, and why others are not', async () => {
  const found = report((await run(['doctor', '--json'])).stdout);
  assert.ok(found.addon !== null);
  const addon = {
    ...found.addon,
    processorBackends: '/packages/cpu',
    gpuBackends: [
      { package: '@node-llama-cpp/linux-x64-cuda', problem: 'libcudart.so.13: cannot open shared object file' },
      { package: '@node-llama-cpp/linux-x64-vulkan', problem: null },
    ],
  };
  const lines = reportLines({ ...found, addon }, { paint: (_, text) => text, columns: 200 });
  for (const line of [
    'for the processor: /packages/cpu',
    '@node-llama-cpp/linux-x64-cuda: not loaded, libcudart.so.13: cannot open shared object file',
    '@node-llama-cpp/linux-x64-vulkan: loaded',
  ])
    assert.ok(
      lines.some((said) => said.trim() === line),
      line,
    );
});

test('doctor says that threads are measured only where they are', async () => {
  const found = report((await run(['doctor', '--json'])).stdout);
  assert.ok(found.run !== null);
  const cpu = found.addon && { ...found.addon, devices: found.addon.devices.filter(({ type }) => type === 'cpu') };
  const said = (facts: { threadCount: number; measuresThreads: boolean }) => {
    const languageModel = { ...found.run?.languageModel, ...facts };
    const told = { ...found, addon: cpu, run: { ...found.run, languageModel } } as DoctorReport;
    return reportLines(told, { paint: (_, text) => text, columns: 300 }).join('\n');
  };
  assert.match(said({ threadCount: 4, measuresThreads: true }), /on the processor, 4 threads, or fewer: what is/);
  assert.match(said({ threadCount: 4, measuresThreads: false }), /on the processor, 4 threads$/m);
  assert.match(said({ threadCount: 1, measuresThreads: true }), /on the processor, 1 thread$/m);
});

test('doctor bears what else is written to stdout by processes that try a device', async () => {
  const noise = `data:text/javascript,${encodeURIComponent("console.log('noise');process.on('exit',()=>console.log('{}'))")}`;
  const { code, stdout } = await run(['doctor'], { env: { NODE_OPTIONS: `--import ${noise}` } });
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^Everything that an answer needs is here\.$/m);
  assert.doesNotMatch(stdout, /did not say how it went/);
});

test('what a process that tries a device says is read among other lines, and its end told with its last words', () => {
  assert.equal(reportOf(null, 'noise\n{"refusal":null}\n{}\n', ''), null);
  assert.equal(reportOf(null, 'noise{"refusal":\n{"refusal":"no driver"}\nnull\n', 'warning'), 'no driver');
  assert.equal(reportOf(null, 'noise', ''), 'the process that tried it did not say how it went.');
  assert.equal(
    reportOf({ code: 1 }, '', 'Error: x\nno such library\n'),
    'the process that tried it ended with exit code 1: no such library',
  );
  assert.match(reportOf({ signal: 'SIGSEGV' }, '', '') ?? '', /ended with SIGSEGV\.$/);
});

test('sizes are written in the unit that reads best', () => {
  assert.deepEqual([0, 1023, 1024, 1_500_000, 3 * 2 ** 30].map(size), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.4 MiB',
    '3.0 GiB',
  ]);
});
