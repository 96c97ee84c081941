/** The miniature calls itself out where nobody named it and it knows nothing of what is asked. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadEta, type Notice } from '../../src/index.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const drawing = join(root, 'models/miniature/pictures/clean-04.png');
const photo = join(root, 'test/golden/evaluators/pictures/photo.png');
const quick = { method: 'vanilla', maxTokens: 2, seed: 1 } as const;
const about = (notices: readonly Notice[]) =>
  notices.map(({ message }) => /about (this picture|anything else)/.exec(message)?.[1]);

test('each request about another picture, or none, is told; drawings of its world are not', async () => {
  const notices: Notice[] = [];
  await using eta = await loadEta({ onNotice: (notice) => notices.push(notice) });
  const prompt = 'What is in the picture?';
  await eta.respond({ ...quick, prompt, image: drawing });
  await eta.respond({ ...quick, prompt, images: [drawing, drawing] });
  assert.equal(notices.length, 0);
  await eta.respond({ ...quick, prompt, image: photo });
  for await (const _ of eta.stream({ ...quick, prompt, images: [drawing, photo] }));
  await eta.respond({ ...quick, prompt: 'How are you?' });
  await eta.respond({ ...quick, turns: [{ role: 'user', text: 'How are you?' }] });
  assert.deepEqual(about(notices), ['this picture', 'this picture', 'anything else', 'anything else']);
  for (const { code, message } of notices) {
    assert.equal(code, 'ETA_MINIATURE');
    assert.match(message, /^the shipped miniature answers, .* means? nothing\. Real models: .*README/);
    assert.ok(!message.includes('\n'), 'expected one line');
  }
});

test('a request that gets no answer is told nothing about its answer', async () => {
  const notices: Notice[] = [];
  await using eta = await loadEta({ onNotice: (notice) => notices.push(notice) });
  await assert.rejects(eta.respond({ ...quick, prompt: 'How? '.repeat(20_000) }), { code: 'ERR_PROMPT_TOO_LONG' });
  assert.equal(notices.length, 0);
});

test('the place that it names is there', async () => {
  const { readFileSync } = await import('node:fs');
  assert.match(readFileSync(join(root, 'README.md'), 'utf8'), /^## Real models$/m);
});

test('whoever names models is told nothing, the miniature itself among them', async () => {
  const folder = join(root, 'models/miniature');
  for (const models of ['miniature', folder, { languageModel: join(folder, 'language-model.gguf') }]) {
    const notices: Notice[] = [];
    const decisions = typeof models === 'string' ? {} : { method: 'vanilla' as const };
    await using eta = await loadEta({ models, ...decisions, onNotice: (notice) => notices.push(notice) });
    await eta.respond({ ...quick, prompt: 'How are you?' });
    assert.deepEqual(notices, []);
  }
});

test('what a listener throws fails its request alone', async () => {
  let isBroken = true;
  await using eta = await loadEta({
    onNotice: () => {
      if (isBroken) throw new RangeError('the listener is broken');
    },
  });
  await assert.rejects(eta.respond({ ...quick, prompt: 'How are you?' }), /the listener is broken/);
  isBroken = false;
  await eta.respond({ ...quick, prompt: 'How are you?' });
});

/** What a process that uses the library writes to stderr. */
async function stderrOf(code: string): Promise<string> {
  const script = `import { loadEta } from ${JSON.stringify(`${root}src/index.ts`)};\n${code}`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], { cwd: root });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exitCode = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(exitCode, 0, stderr);
  return stderr;
}

test('without a listener the process is warned, once', async () => {
  const ask = `await eta.respond({ prompt: 'How are you?', method: 'vanilla', maxTokens: 2 });`;
  const stderr = await stderrOf(`const eta = await loadEta();\n${ask}\n${ask}\nawait eta.dispose();`);
  assert.equal(stderr.match(/\[ETA_MINIATURE\] EtaWarning: the shipped miniature answers/g)?.length, 1);
  const named = await stderrOf(`const eta = await loadEta({ models: 'miniature' });\n${ask}\nawait eta.dispose();`);
  assert.doesNotMatch(named, /miniature/);
});
