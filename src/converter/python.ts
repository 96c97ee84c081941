/** The Python that conversions run in. Nothing at run time needs one. */

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { onAbort } from '../abort.js';
import { AbortError, ModelError } from '../errors.js';
import { parsedJson } from '../json.js';
import { describe } from '../options.js';

/** From src and from dist alike, the converter lies two folders up. */
export const CONVERTER = fileURLToPath(new URL('../../models/converter/convert.py', import.meta.url));
const REQUIREMENTS = fileURLToPath(new URL('../../models/converter/requirements.txt', import.meta.url));

/** For every Python that is started: its libraries fetch nothing and report nothing, whatever the user's own settings. */
export function pythonEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    HF_HUB_OFFLINE: '1',
    TRANSFORMERS_OFFLINE: '1',
    HF_HUB_DISABLE_TELEMETRY: '1',
    ORT_DISABLE_TELEMETRY: '1',
    DO_NOT_TRACK: '1',
    // Compiled files would be written beside the converter, in this package.
    PYTHONDONTWRITEBYTECODE: '1',
  };
}

const checkSchema = z.object({
  python: z.string(),
  missing: z.array(z.string()),
  /** Package to the version that the converter was tested with, and the one that is there. */
  different: z.record(z.string(), z.tuple([z.string(), z.string()])),
});

export interface Python {
  readonly command: string;
  readonly version: string;
  /** Such as "torch 2.14.0 (tested with 2.15.0)". */
  readonly untested: readonly string[];
}

/**
 * `given`, else the variable ETA_VLM_PYTHON, else the first of python3, python and py that there is.
 *
 * @throws ModelError ERR_PYTHON, with the commands that install what is missing; AbortError
 */
export async function findPython(given: string | undefined, signal?: AbortSignal): Promise<Python> {
  const named = given ?? process.env['ETA_VLM_PYTHON'];
  const candidates = named === undefined || named === '' ? ['python3', 'python', 'py'] : [named];
  let found: { command: string; version: string; missing: readonly string[] } | undefined;
  for (const command of candidates) {
    const output = await run(command, [CONVERTER, 'check'], signal);
    if (output === undefined) continue;
    const parsed = checkSchema.safeParse(parsedJson(output));
    if (!parsed.success) continue;
    const { python: version, missing, different } = parsed.data;
    if (missing.length === 0) {
      const untested = Object.entries(different).map(([name, [wanted, is]]) => `${name} ${is} (tested with ${wanted})`);
      return { command, version, untested };
    }
    found ??= { command, version, missing };
  }
  await readFile(CONVERTER).catch((cause) => {
    throw new ModelError(
      'ERR_PYTHON',
      `Expected the converter at ${CONVERTER}, which is not there. Install eta-vlm again.`,
      { cause },
    );
  });
  const received =
    found === undefined
      ? `${candidates.map(describe).join(', ')} ${candidates.length === 1 ? 'does' : 'do'} not run`
      : `${found.command} (${found.version}) lacks ${found.missing.join(', ')}`;
  throw new ModelError(
    'ERR_PYTHON',
    `Expected Python 3.10 or later with the converter's packages; ${received}. ${installation()}`,
  );
}

function installation(): string {
  const isWindows = process.platform === 'win32';
  const python = isWindows ? 'eta-python\\Scripts\\python' : 'eta-python/bin/python';
  return (
    `Run: ${isWindows ? 'py' : 'python3'} -m venv eta-python && ${python} -m pip install -r ${JSON.stringify(REQUIREMENTS)} ` +
    `— then convert with --python ${python} (or ETA_VLM_PYTHON=${python}).`
  );
}

/** What a command writes to stdout; undefined when it does not start or fails. */
function run(command: string, words: readonly string[], signal: AbortSignal | undefined): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new AbortError(signal));
    const running = spawn(command, words, { stdio: ['ignore', 'pipe', 'ignore'], env: pythonEnvironment() });
    const takeBack = onAbort(signal, () => running.kill());
    let output = '';
    running.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    const end = (result: string | undefined) => {
      takeBack();
      if (signal?.aborted) reject(new AbortError(signal));
      else resolve(result);
    };
    running.once('error', () => end(undefined));
    running.once('close', (code) => end(code === 0 ? output : undefined));
  });
}
