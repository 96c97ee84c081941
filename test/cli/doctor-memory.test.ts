import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { examineMemory, type MemoryReport, memoryLines } from '../../src/cli/doctor/memory.js';
import { fitMemory } from '../../src/loading/memory-fit.js';
import { assertRefused, run } from './command.js';

const GIB = 2 ** 30;
const golden = (name: string) => fileURLToPath(new URL(`../golden/engine/${name}`, import.meta.url));
const plain = { paint: (_: string, text: string) => text, columns: 80 };
let report: MemoryReport;
before(async () => {
  report = await examineMemory({ model: 'miniature' });
});

/** The report on another machine. */
function planted(ramGib: number, gpuGib: number, options: Parameters<typeof fitMemory>[1] = {}): string {
  const machine = { ramFreeBytes: ramGib * GIB, gpuFreeBytes: gpuGib * GIB, isShared: false, repackedTypes: [] };
  return memoryLines({ ...report, ...fitMemory(report.shapes, options, machine) }, plain).join('\n');
}

test('a name tells every part and what they take together', async () => {
  const names = report.estimate.parts.map(({ name }) => name);
  assert.deepEqual(names, [
    'program',
    'weights',
    'KV cache',
    'compute',
    'projector',
    'CLIP',
    'reward model',
    'onnxruntime',
  ]);
  const lines = memoryLines(report, plain);
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  );
  assert.match(lines.join('\n'), /^KV cache +16\.0 MiB$/m);
  assert.match(lines.join('\n'), /^It fits: \d+\.\d MiB must be free for it\.$/m);
});

test('a file alone has no evaluators; parts that are named go before those of the name', async () => {
  const bare = await examineMemory({ model: golden('tiny.gguf') });
  assert.match(memoryLines(bare, plain).join('\n'), /^ +without projector, CLIP, reward model$/m);
  const pair = await examineMemory({ model: golden('tiny.gguf'), projector: golden('tiny-projector.gguf') });
  assert.ok(pair.estimate.ramBytes > bare.estimate.ramBytes, 'the projector counts');
  const other = await examineMemory({ model: 'miniature', projector: golden('tiny-projector.gguf') });
  assert.ok(other.estimate.ramBytes < report.estimate.ramBytes, 'a smaller projector');
  assert.equal(other.shapes.evaluators.clipBytes, report.shapes.evaluators.clipBytes);
});

test('options change what they say', async () => {
  const cache = async (flags: object) =>
    (await examineMemory({ model: 'miniature', ...flags })).estimate.parts.find(({ name }) => name === 'KV cache')
      ?.ramBytes;
  assert.equal(await cache({ contextSize: 8192 }), 2 ** 25);
  assert.equal(await cache({ cacheType: 'f32' }), 2 ** 25);
  assert.equal((await examineMemory({ model: 'miniature', n: 60 })).plan.sequenceCount, 61);
});

test('on a machine with a GPU there is a column for it, and the layers that fit', () => {
  const text = planted(8, 8);
  assert.match(text, /^GPU +all layers of the language model; 8\.0 GiB free, 512\.0 MiB stay so$/m);
  assert.match(text, /^ +main memory +GPU$/m);
  assert.match(text, /^KV cache +- +16\.0 MiB$/m);
});

test('what does not fit says what is lacking and what to change', () => {
  const text = planted(1, 0, { contextSize: 1_000_000 }).replace(/\s+/g, ' ');
  assert.match(
    text,
    /too large 3\.\d GiB of main memory are lacking\. Take --context-size \d+, or --cache-type q8_0, or a smaller/,
  );
  assert.match(
    planted(8, 0.1, { gpuLayerCount: -1 }).replace(/\s+/g, ' '),
    /too large The GPU has no room for so many layers/,
  );
});

test('the command prints it, as JSON too, and its exit code says whether it fits', async () => {
  const fits = await run(['doctor', '--model', 'miniature', '--n', '8']);
  assert.deepEqual([fits.code, fits.stderr], [0, '']);
  assert.match(fits.stdout, /^together +\d+\.\d MiB$/m);
  const large = await run(['doctor', '--model', 'miniature', '--context-size', '16777216', '--json']);
  assert.equal(large.code, 1);
  const { fits: isFit, largestContextSize, estimate } = JSON.parse(large.stdout) as MemoryReport;
  assert.ok(!isFit && largestContextSize > 0 && estimate.ramBytes > 2 ** 36, large.stdout);
});

test('wrong use is refused in one line', async () => {
  assertRefused(await run(['doctor', '--projector', 'x.gguf']), {
    exitCode: 2,
    code: 'ERR_INVALID_OPTION',
    message: /Expected --model beside the options of memory/,
  });
  assertRefused(await run(['doctor', '--model', 'minature']), {
    exitCode: 1,
    code: 'ERR_MODEL_NOT_FOUND',
    message: /Did you mean 'miniature'\?/,
  });
  assertRefused(await run(['doctor', '--model', golden('tiny-projector.gguf')]), {
    exitCode: 1,
    code: 'ERR_MODEL_INVALID',
    message: /Name the file of the language model/,
  });
});
