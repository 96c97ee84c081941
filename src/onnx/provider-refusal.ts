/** Why a provider of onnxruntime cannot be used on this machine, in words. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Provider } from './provider.js';

const requireFromHere = createRequire(import.meta.url);

/** What is known before it is tried; null where there is nothing against it. onnxruntime lists CUDA without its files. */
export function absence(provider: Provider, backends: readonly { readonly name: string }[]): string | null {
  if (!backends.some(({ name }) => name === provider))
    return `onnxruntime-node for ${process.platform} ${process.arch} is published without it.`;
  if (provider !== 'cuda' || existsSync(cudaLibrary())) return null;
  return "its files are not there; onnxruntime-node's install script fetches them, unless it is told to skip.";
}

function cudaLibrary(): string {
  const root = dirname(requireFromHere.resolve('onnxruntime-node/package.json'));
  return join(root, 'bin', 'napi-v6', process.platform, process.arch, 'libonnxruntime_providers_cuda.so');
}

/** What brings a driver for WebGPU to where onnxruntime finds none. */
const WEBGPU_DRIVER =
  process.platform === 'linux'
    ? ' It needs a Vulkan driver (Debian, Ubuntu: apt-get install libvulkan1 mesa-vulkan-drivers).'
    : ' It needs the driver of a GPU.';

/** The last sentence of onnxruntime's message, without the place in its source, and what can be done. */
export function refusalOf(error: unknown, provider: Provider): string {
  const said = lastSentence(error);
  return provider === 'webgpu' && /adapter|vulkan/i.test(said) ? said + WEBGPU_DRIVER : said;
}

function lastSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [sentence = ''] = (message.split(' was false. ').at(-1) ?? message).trim().split('\n');
  return sentence.endsWith('.') ? sentence : `${sentence}.`;
}
