/**
 * What the tests' models compute on: the processor, or the device that ETA_VLM_TEST_DEVICE names (npm run test:vulkan).
 * Numbers are exact on the processor; a device has bounds of its own.
 */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';

const name = process.env['ETA_VLM_TEST_DEVICE'];

/** Whether the models are on a device. */
export const onDevice = name !== undefined;

/** For Model.load and the addon: all layers and the projector on the device, or nothing. */
export const PLACE: { readonly device?: string; readonly gpuLayerCount: number; readonly projectorOnGpu: boolean } =
  name === undefined
    ? { gpuLayerCount: 0, projectorOnGpu: false }
    : { device: name, gpuLayerCount: -1, projectorOnGpu: true };

/**
 * How far apart a device may compute the same numbers, and why. Measured on lavapipe without 16-bit sums; the largest are
 * in docs/vulkan.md, and npm run test:vulkan prints them. What has to be told apart is 20 times further away or more:
 * {@link assertFar}.
 */
const DEVICE_BOUNDS = {
  // The same kernels over the same cells: bit for bit on a device too.
  same: 0,
  // The same rows at once, but the sums over cells are divided otherwise between threads. Measured: 9e-5.
  cells: 3e-4,
  // One row at a time against several: for several rows ggml-vulkan makes copies of keys and values in 16 bits (its
  // mul_mat of what does not lie in one piece), for one it does not. Half a unit in the last place of 16 bits is 5e-4 of
  // a value, which two layers make 1e-2 of a logit. Measured: 1e-2.
  rows: 3e-2,
  // Against PyTorch or libmtmd on the processor; prompts are several rows. Measured: 1.8e-2.
  reference: 4e-2,
  // Scores of a reward model whose trunk is there: `rows`, behind its head. Measured: 2e-4; other answers are 0.1 apart.
  score: 1e-3,
  // The log probability of ten tokens drawn one after the other, each of logits that are `rows` apart.
  drawn: 1e-1,
} as const;

type Kind = keyof typeof DEVICE_BOUNDS;

/** Two computations of the same numbers: at most `exact` apart on the processor, the bound of their kind on a device. */
export function assertNear(difference: number, exact: number, kind: Kind, message: string = kind): void {
  const bound = onDevice ? DEVICE_BOUNDS[kind] : exact;
  note({ kind, difference, bound });
  assert.ok(difference <= bound, `${message}: ${difference} apart, expected at most ${bound}`);
}

/** The control of {@link assertNear}: other numbers, which its bound must not let through. */
export function assertFar(difference: number, exact: number, kind: Kind, message: string = kind): void {
  const bound = onDevice ? 10 * DEVICE_BOUNDS[kind] : exact;
  note({ kind: `other ${kind}`, difference, bound });
  assert.ok(difference > bound, `${message}: ${difference} apart, expected more than ${bound}`);
}

/** For the table at the end of npm run test:vulkan. */
function note(figure: { readonly kind: string; readonly difference: number; readonly bound: number }): void {
  const file = process.env['ETA_VLM_TEST_FIGURES'];
  const at = new Error().stack?.split('\n')[3]?.trim();
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ ...figure, at })}\n`);
}
