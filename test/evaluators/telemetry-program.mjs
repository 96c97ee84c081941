/** A program as users write them; its argument says which. `LINGER_MS`: how long it stays after its work. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const self = new URL(import.meta.url);
const picture = fileURLToPath(new URL('../../models/miniature/pictures/clean-04.png', import.meta.url));
const graph = fileURLToPath(new URL('../../models/miniature/clip/text_model.onnx', import.meta.url));
const lingering = () => new Promise((resolve) => setTimeout(resolve, Number(process.env.LINGER_MS ?? 0)));

async function answer() {
  const { loadEta } = await import(new URL('../../dist/index.js', import.meta.url).href);
  const eta = await loadEta();
  await eta.respond({ image: picture, prompt: 'Where is the cup?', maxTokens: 3 });
  await eta.dispose();
  await lingering();
}

async function onnxruntime() {
  const { InferenceSession } = await import('onnxruntime-node');
  await InferenceSession.create(graph);
}

const programs = {
  library: answer,
  // Its environment is a copy, which says the contrary.
  async worker() {
    const worker = new Worker(self, { argv: ['library'], env: { ...process.env, ORT_DISABLE_TELEMETRY: '0' } });
    const [code] = await once(worker, 'exit');
    process.exitCode = code;
  },
  async fork() {
    const { HOME, TMPDIR, LINGER_MS } = process.env;
    const child = fork(fileURLToPath(self), ['library'], {
      env: { HOME, TMPDIR, LINGER_MS, ORT_DISABLE_TELEMETRY: '0' },
    });
    const [code] = await once(child, 'exit');
    process.exitCode = code;
  },
  // An application that has opened a model of its own before.
  async host() {
    await onnxruntime();
    await answer();
  },
  async onnxruntime() {
    await onnxruntime();
    await lingering();
  },
};

await programs[process.argv[2]]();
