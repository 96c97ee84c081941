/** `eta-vlm build`: the same build as `npm run build` in the repository, for an installed package. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EngineError } from '../errors.js';
import { EXIT } from '../terminal/failure.js';

/** Runs native/build.mjs with these flags and returns its exit code. What it prints goes to stderr. */
export async function build(flags: readonly string[]): Promise<number> {
  const script = fileURLToPath(new URL('../../native/build.mjs', import.meta.url));
  const running = spawn(process.execPath, [script, ...flags], { stdio: ['ignore', 2, 2] });
  return new Promise((resolve, reject) => {
    running.once('error', (cause) =>
      reject(new EngineError('ERR_ADDON_INVALID', `The build cannot be started (${cause.message}).`, { cause })),
    );
    running.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? EXIT.interrupted : EXIT.failure)));
  });
}
