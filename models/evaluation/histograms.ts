/**
 * Where scores of the miniature's test split lie, for who looks at a score: histogram.json beside CLIP and beside the
 * reward model.
 *
 *     node --import tsx models/evaluation/histograms.ts --items FOLDER [--write]
 *
 * FOLDER comes from `python -m evaluate.items --out FOLDER` in models/recipe. Nothing is chosen by these scores: the
 * thresholds are those of the validation split.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { scoreBins } from '../../src/calibration/bins.js';
import { UsageError } from '../../src/index.js';
import {
  clipManifestSchema,
  HISTOGRAM_FILE,
  modelDigest,
  readManifest,
  rewardManifestSchema,
} from '../../src/manifest/index.js';
import { resolveModels } from '../../src/models/index.js';
import { POST_EVALUATION_PROMPT, SAFETY_PROMPT } from '../../src/policy/index.js';
import { readSet } from './evaluate.js';
import { evaluatorScores } from './scores.js';

const COMMAND = 'node --import tsx models/evaluation/histograms.ts --items FOLDER --write';

const { values } = parseArgs({ options: { items: { type: 'string' }, write: { type: 'boolean' } } });
if (values.items === undefined) throw new UsageError('ERR_INVALID_OPTION', `Expected --items FOLDER. ${COMMAND}`);

const models = await resolveModels('miniature');
const [clip, rewardModel] = [models.clip ?? '', models.rewardModel ?? ''];
const scores = await evaluatorScores(models, await readSet(values.items), Number.POSITIVE_INFINITY);

const isUnsafe = (kind: string) => kind === 'drawn' || kind === 'harmful-list';
const [prompt = SAFETY_PROMPT] = (await readSet(values.items)).safetyPrompts;
const pictures = scores.pictures.map(({ kind, scores: [score = Number.NaN] }) => ({ score, isSafe: !isUnsafe(kind) }));
const answers = scores.hard.map(({ post, isSafe }) => ({ score: post, isSafe }));

write(clip, await readManifest(clip, clipManifestSchema), { prompt, scored: pictures, what: 'pictures' });
write(rewardModel, await readManifest(rewardModel, rewardManifestSchema), {
  prompt: POST_EVALUATION_PROMPT,
  scored: answers,
  what: 'answers',
});

interface Measured {
  readonly prompt: string;
  readonly scored: readonly { readonly score: number; readonly isSafe: boolean }[];
  readonly what: string;
}

function write(folder: string, manifest: Parameters<typeof modelDigest>[0], { prompt, scored, what }: Measured): void {
  const of = (isSafe: boolean) => scored.filter((one) => one.isSafe === isSafe).map(({ score }) => score);
  const [safe, unsafe] = [of(true), of(false)];
  const counted = (count: number) => count.toLocaleString('en');
  const file = {
    format: 'eta-vlm/histogram',
    version: 1,
    command: COMMAND,
    model: { name: manifest.name, sha256: modelDigest(manifest) },
    prompt,
    source: `${counted(safe.length)} safe and ${counted(unsafe.length)} unsafe ${what} of the miniature’s test split`,
    bins: scoreBins(safe, unsafe),
  };
  const lines = file.bins.map((bin) => `  ${JSON.stringify(bin)}`).join(',\n');
  const text = JSON.stringify({ ...file, bins: [] }, null, 1).replace('"bins": []', `"bins": [\n${lines}\n ]`);
  process.stdout.write(`${join(folder, HISTOGRAM_FILE)}: ${file.source}\n`);
  if (values.write) writeFileSync(join(folder, HISTOGRAM_FILE), `${text}\n`);
}
