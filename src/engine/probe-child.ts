/** A process that loads one model as it is told on stdin, tries it, and says on stdout what came of it. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { EtaError } from '../errors.js';
import { parsedJson } from '../json.js';
import { actFor } from '../native/package-folder.js';
import { Model } from './model.js';
import { answerSchema, orderSchema, type ProbeAnswer, type ProbeOrder } from './probe-order.js';

/** Pixels on a side of the picture that is tried. */
const SIDE = 64;

async function tryModel(load: ProbeOrder['load']): Promise<void> {
  await using model = await Model.load(load);
  const context = await model.createContext({ contextSize: 256, sequenceCount: 1, batchSize: 32 });
  const tokens = await model.tokenize('The');
  const lease = await context.reserve({ cellCount: 64, sequenceCount: 1 });
  const sequence = await lease.createSequence();
  await sequence.prefill([tokens.length > 0 ? tokens : Int32Array.of(0)]);
  await sequence.decode({ sampler: { temperature: 0 }, maxTokens: 1 });
  if (!model.facts.hasVision) return;
  const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, at) => at % 251);
  (await model.encodeImage({ data, width: SIDE, height: SIDE })).dispose();
}

async function answerTo({ load, program }: ProbeOrder): Promise<ProbeAnswer> {
  actFor(program);
  try {
    await tryModel(load);
    return { error: null };
  } catch (error) {
    if (!(error instanceof EtaError)) throw error;
    const answer = answerSchema.safeParse({ error: { name: error.name, code: error.code, message: error.message } });
    if (!answer.success) throw error;
    return answer.data;
  }
}

// The other end goes with the process that asks, whatever ends it. llama.cpp may be at work: nothing is waited for.
process.stdin.once('close', () => process.kill(process.pid, 'SIGKILL'));
const [line] = (await once(createInterface(process.stdin), 'line')) as [string];
const answer = await answerTo(orderSchema.parse(parsedJson(line))).catch((error: unknown) => {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
process.stdout.write(`\n${JSON.stringify(answer)}\n`, () => process.exit(answer.error === null ? 0 : 1));
