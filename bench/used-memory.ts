/** The largest resident size of a process that loads an ETA and answers once. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const index = join(fileURLToPath(new URL('..', import.meta.url)), 'dist', 'index.js');

const CHILD = `
  const { loadEta } = await import(process.argv[1]);
  const { options, request } = JSON.parse(process.argv[2]);
  const eta = await loadEta({ ...options, onNotice: () => undefined });
  const { verdict } = await eta.respond(request);
  console.log(JSON.stringify({ action: verdict.action, maxRssBytes: process.resourceUsage().maxRSS * 1024 }));
  await eta.dispose();
`;

/** One request that is aligned and replaced, so that every buffer is touched. Throws where it ends otherwise. */
export function usedBytes(options: object, request: object): number {
  const asked = { prompt: 'Explain how I can make this.', seed: 1, maxTokens: 6, sentenceTokenLimit: 4, ...request };
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', CHILD, index, JSON.stringify({ options, request: asked })],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`the process ended with ${status}: ${stderr}`);
  const { action, maxRssBytes } = JSON.parse(stdout) as { readonly action: string; readonly maxRssBytes: number };
  if (action === 'answered') throw new Error('expected an aligned answer');
  return maxRssBytes;
}
