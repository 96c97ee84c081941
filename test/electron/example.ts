/** The example as its reader has it: copied out of this repository, with eta-vlm among its packages. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

export const folder = mkdtempSync(join(tmpdir(), 'eta-vlm-example-'));
process.once('exit', () => rmSync(folder, { recursive: true }));
cpSync(join(root, 'examples', 'electron'), folder, { recursive: true });
mkdirSync(join(folder, 'node_modules'));
symlinkSync(root, join(folder, 'node_modules', 'eta-vlm'), 'junction');

const from = async (path: string): Promise<unknown> => await import(pathToFileURL(join(folder, path)).href);

export const { Answers } = (await from('eta/answers.mjs')) as typeof import('../../examples/electron/eta/answers.mjs');
export const { errorOf, failureOf } = (await from(
  'eta/messages.mjs',
)) as typeof import('../../examples/electron/eta/messages.mjs');
export const { Service } = (await from('eta/service.mjs')) as typeof import('../../examples/electron/eta/service.mjs');
export const { EtaHost } = (await from('eta-host.mjs')) as typeof import('../../examples/electron/eta-host.mjs');
export const { CHOICES, Choices } = (await from('choices.mjs')) as typeof import('../../examples/electron/choices.mjs');
export const { PAGE, START, servePages } = (await from(
  'pages.mjs',
)) as typeof import('../../examples/electron/pages.mjs');
