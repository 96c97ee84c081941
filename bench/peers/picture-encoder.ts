/**
 * A picture through the encoder of LLaVA-1.5 (ViT-L/14 at 336 pixels, F16): ours in a process that is warm, against what
 * llama-mtmd-cli says of the same, a process each turn, which warms up by itself.
 *
 *     node --import tsx bench/peers/picture-encoder.ts [--model 160m|1.1b|7b|miniature] [--repeat 5] [--threads N]
 *                                                      [--folder DIR]
 */
import { spawnSync } from 'node:child_process';
import { Model } from '../../src/engine/index.js';
import { decodeImage } from '../../src/image/index.js';
import { inTurn, ratioRow, report } from './comparison.js';
import { peer } from './programs.js';
import { DRAWN } from './questions.js';
import { described, filesOf, settings } from './settings.js';

const options = settings({ model: '160m', repeat: 5 });
const { repeat, threadCount } = options;
const { languageModel, projector } = await filesOf(options);
await using model = await Model.load({ modelPath: languageModel, projectorPath: projector, threadCount });
const image = await decodeImage(DRAWN);

async function ours(): Promise<number> {
  const startedAt = performance.now();
  (await model.encodeImage(image)).dispose();
  return performance.now() - startedAt;
}

async function theirs(): Promise<number> {
  const args = ['-m', languageModel, '--mmproj', projector, '--image', DRAWN, '-p', 'What?', '-n', '1'];
  if (threadCount !== undefined) args.push('-t', String(threadCount));
  args.push('--chat-template', 'vicuna', '-c', '1024', '--offline');
  const { stdout, stderr } = spawnSync(peer('llama-mtmd-cli'), args, { encoding: 'utf8' });
  const encoded = /batch encoding done in (\d+) ms/.exec(stdout + stderr)?.[1];
  if (encoded === undefined) throw new Error(`llama-mtmd-cli: expected the time of its encoder, received ${stderr}`);
  return Number(encoded);
}

report(described(options), [
  ratioRow({
    what: "a picture's encoder",
    ...(await inTurn({ ours, theirs }, repeat)),
    against: "llama-mtmd-cli's",
    atMost: 1.05,
  }),
]);
