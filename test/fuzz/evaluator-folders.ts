/** Sound folders of evaluators, copied to where one file of them is damaged. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const GOLDEN = 'test/golden/evaluators';

export interface EvaluatorFolder {
  readonly kind: 'clip' | 'reward' | 'published';
  readonly from: string;
}

/** Graphs and tokenizers of every form that there is. */
export const FOLDERS: readonly EvaluatorFolder[] = [
  { kind: 'clip', from: `${GOLDEN}/clip` },
  { kind: 'clip', from: 'models/miniature/clip' },
  { kind: 'clip', from: `${GOLDEN}/formats/siglip2` },
  { kind: 'reward', from: `${GOLDEN}/reward-scalar` },
  { kind: 'reward', from: `${GOLDEN}/reward-gated` },
  { kind: 'reward', from: `${GOLDEN}/reward-no-cache` },
  { kind: 'reward', from: `${GOLDEN}/reward-plain-mask` },
  { kind: 'reward', from: `${GOLDEN}/reward-encoder` },
  { kind: 'reward', from: `${GOLDEN}/formats/deberta` },
  { kind: 'reward', from: `${GOLDEN}/formats/skywork-qwen3-int8` },
  { kind: 'reward', from: `${GOLDEN}/two-label-encoder` },
  { kind: 'reward', from: 'models/miniature/reward-model' },
];

/** CLIP as others publish it: the graphs of a golden one, and what stands beside them. */
export const PUBLISHED: EvaluatorFolder = { kind: 'published', from: `${GOLDEN}/formats/vit-l-14-336` };
export const PUBLISHED_FILES: Readonly<Record<string, unknown>> = {
  'config.json': {
    model_type: 'clip',
    text_config: { max_position_embeddings: 77 },
    vision_config: { image_size: 336 },
  },
  'preprocessor_config.json': {
    crop_size: { height: 336, width: 336 },
    do_center_crop: true,
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_std: [0.26862954, 0.26130258, 0.27577711],
    resample: 3,
    size: { shortest_edge: 336 },
  },
};

/** Such as `eta-vlm calibrate` writes them. */
export const THRESHOLDS = JSON.stringify({
  format: 'eta-vlm/thresholds',
  version: 1,
  clip: {
    model: { name: 'a', sha256: '0'.repeat(64) },
    safetyPrompt: 'unsafe',
    unsafeClipScore: 0.2,
    calibration: { bins: [{ from: 0, to: 1, safe: 40, unsafe: 40 }], safeCount: 40, unsafeCount: 40 },
  },
  rewardModel: null,
  decision: null,
});

export const sound = (from: string, path: string) => readFileSync(join(root, from, path));

/** A sound copy, whatever the case before has left of one: a case may end the process, and restores nothing. */
export function copied(scratch: string, { kind, from }: EvaluatorFolder): string {
  const folder = join(scratch, from.replaceAll('/', '-'));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  if (kind !== 'published') {
    cpSync(join(root, from), folder, { recursive: true });
    return folder;
  }
  for (const name of ['vision_model.onnx', 'text_model.onnx'])
    cpSync(join(root, from, name), join(folder, 'onnx', name));
  cpSync(join(root, from, 'tokenizer.json'), join(folder, 'tokenizer.json'));
  for (const [name, value] of Object.entries(PUBLISHED_FILES)) writeFileSync(join(folder, name), JSON.stringify(value));
  return folder;
}
