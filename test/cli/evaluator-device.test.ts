/** `--evaluator-device` of the commands that load evaluators: a device that is not there is told, and the CPU answers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { main, packageRoot, run } from './command.js';

/** One that no onnxruntime-node of this platform has. */
const ABSENT = process.platform === 'win32' ? 'coreml' : 'dml';
const QUESTION = [
  '--seed',
  '1',
  '--max-tokens',
  '4',
  '--image',
  `${packageRoot}models/miniature/pictures/clean-04.png`,
];
const SAID =
  /^eta-vlm: CLIP and the reward model run on the processor, not on the device asked for \(\w+\)\. .*without it\.$/gm;

test('ask answers as on the CPU, and says it once', async () => {
  const asked = ['ask', ...QUESTION, '--json', 'What is in the picture?'];
  const [plain, fallen] = [await run(asked), await run([...asked, '--evaluator-device', ABSENT])];
  assert.deepEqual([plain.code, fallen.code, plain.stderr], [0, 0, '']);
  assert.equal(fallen.stderr.match(SAID)?.length, 1, fallen.stderr);
  const of = (text: string) => {
    const { text: answer, verdict } = JSON.parse(text);
    return { answer, verdict };
  };
  assert.deepEqual(of(fallen.stdout), of(plain.stdout));
});

test('that the processor is used is said before the answer, where both go to one place', async () => {
  const command = [process.execPath, main, 'ask', ...QUESTION, '--evaluator-device', ABSENT, 'What is in the picture?'];
  const { stdout } = spawnSync('sh', ['-c', '"$@" 2>&1', 'sh', ...command], { encoding: 'utf8' });
  assert.match(stdout.split('\n')[0] ?? '', /^eta-vlm: CLIP and the reward model run on the processor/, stdout);
  assert.match(stdout, /^CLIP score/m);
});

test('a wrong name is refused with the choices, before anything is loaded', async () => {
  const { code, stderr } = await run(['ask', '--evaluator-device', 'cdua', 'Why?']);
  assert.equal(code, 2);
  assert.match(stderr, /cuda/);
});

test('models verify falls back to nothing: it says that the model does not run there', async () => {
  const { code, stdout } = await run(['models', 'verify', 'miniature', '--evaluator-device', ABSENT]);
  assert.equal(code, 3, 'the language model is right');
  assert.match(stdout.replace(/\s+/g, ' '), new RegExp(`wrong: .* does not load: onnxruntime: on ${ABSENT}: `));
});
