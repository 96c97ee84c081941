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

/** How far apart a device may compute the same numbers, by what is compared. */
const DEVICE_BOUNDS = {
  same: 1,
  cells: 1,
  batch: 1,
  reference: 1,
  state: 1,
  picture: 1,
} as const;

/** Two computations of the same numbers: nearer than `exact` on the processor, than the bound of their kind on a device. */
export function assertNear(
  difference: number,
  exact: number,
  kind: keyof typeof DEVICE_BOUNDS,
  message: string = kind,
): void {
  const bound = onDevice ? DEVICE_BOUNDS[kind] : exact;
  const figures = process.env['ETA_VLM_TEST_FIGURES'];
  if (figures !== undefined)
    appendFileSync(figures, `${JSON.stringify({ kind, difference, at: new Error().stack?.split('\n')[2]?.trim() })}\n`);
  assert.ok(difference <= bound, `${message}: ${difference} apart, expected at most ${bound}`);
}
