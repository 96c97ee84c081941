/** The execution providers of onnxruntime-node: where a graph can run. */

export const PROVIDERS = ['cpu', 'dml', 'coreml', 'webgpu', 'cuda'] as const;

/** Where a graph runs: the CPU, or a provider of onnxruntime by its own name. */
export type Provider = (typeof PROVIDERS)[number];

/** What callers may ask for. */
export type EvaluatorDevice = Provider | 'auto';

export const EVALUATOR_DEVICES = [...PROVIDERS, 'auto'] as const;

/**
 * Providers beside the CPU that onnxruntime-node 1.30 is published with, the one to try first at the front. The vendor's
 * own goes before WebGPU, which is experimental.
 */
export function publishedProviders(
  platform: NodeJS.Platform = process.platform,
  architecture: string = process.arch,
): readonly Exclude<Provider, 'cpu'>[] {
  if (platform === 'win32') return ['dml', 'webgpu'];
  if (platform === 'darwin') return ['coreml', 'webgpu'];
  return platform === 'linux' && architecture === 'x64' ? ['cuda', 'webgpu'] : [];
}

/** The providers to try, in order; none: the CPU was asked for. */
export function providersToTry(wanted: EvaluatorDevice): readonly Exclude<Provider, 'cpu'>[] {
  if (wanted === 'auto') return publishedProviders();
  return wanted === 'cpu' ? [] : [wanted];
}
