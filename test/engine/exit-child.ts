/** Run by exit.test.ts in a process of its own: uses the engine and ends in the middle of the phase that it is told. */
import { Worker } from 'node:worker_threads';
import { type Model, TokenText } from '../../src/engine/index.js';
import { EXACT, started, tinyModel } from './fixture.js';

const EXIT_CODE = 3;
const sampler = { temperature: 2, seed: 1 };

async function decodeUntil(model: Model, onText: () => void): Promise<void> {
  const context = await model.createContext(EXACT);
  const { sequence } = await started(context, [await model.tokenize('The red apple')], {
    cellCount: 900,
    sequenceCount: 1,
  });
  await sequence.decode({ sampler, maxTokens: 800, onText });
}

const phases: Record<string, () => Promise<void>> = {
  'a load': async () => {
    const loading = tinyModel();
    setImmediate(() => process.exit(EXIT_CODE));
    await loading;
  },
  'a picture': async () => {
    const model = await tinyModel();
    const encoding = model.encodeImage({ data: new Uint8Array(900 * 900 * 3), width: 900, height: 900 });
    setImmediate(() => process.exit(EXIT_CODE));
    await encoding;
  },
  'a long text': async () => {
    const model = await tinyModel();
    setImmediate(() => process.exit(EXIT_CODE));
    await model.tokenize('<é word'.repeat(2 ** 22));
  },
  'a decode': async () => await decodeUntil(await tinyModel(), () => process.exit(EXIT_CODE)),
  'an exception': async () =>
    await decodeUntil(await tinyModel(), () => {
      setImmediate(() => {
        throw new RangeError('out of the blue');
      });
    }),
  'the end of the script, nothing disposed of': async () => {
    const model = await tinyModel();
    const context = await model.createContext(EXACT);
    const { sequence } = await started(context, [await model.tokenize('The')], { cellCount: 900, sequenceCount: 1 });
    const { tokens } = await sequence.decode({ sampler, maxTokens: 8 });
    if (new TokenText(model).push(tokens) !== '') process.exitCode = EXIT_CODE;
  },
  'a worker thread, terminated': async () => {
    const code = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(import.meta.url)}); })`;
    const worker = new Worker(code, { eval: true, argv: ['inside a worker'], execArgv: [] });
    await new Promise((resolve) => worker.once('message', resolve));
    await worker.terminate();
    await decodeUntil(await tinyModel(), () => process.exit(EXIT_CODE));
  },
  'a worker thread, terminated in a long text': async () => {
    const code = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(import.meta.url)}); })`;
    const worker = new Worker(code, { eval: true, argv: ['a long text inside a worker'], execArgv: [] });
    await new Promise((resolve) => worker.once('message', resolve));
    await worker.terminate();
    process.exitCode = EXIT_CODE;
  },
  'a long text inside a worker': async () => {
    const { parentPort } = await import('node:worker_threads');
    const model = await tinyModel();
    const tokens = model.tokenize('<é word'.repeat(2 ** 22));
    parentPort?.postMessage('tokenising');
    await tokens;
  },
  'inside a worker': async () => {
    const { parentPort } = await import('node:worker_threads');
    await decodeUntil(await tinyModel(), () => parentPort?.postMessage('decoding'));
  },
};

const phase = phases[process.argv[2] ?? ''];
if (phase === undefined) throw new RangeError(`Expected one of ${Object.keys(phases).join(', ')}.`);
await phase();
