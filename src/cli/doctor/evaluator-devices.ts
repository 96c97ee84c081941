/**
 * Whether evaluators can run on a device of onnxruntime's. Each is tried in a process of its own: a driver can end a
 * process, and onnxruntime writes warnings of its own to stderr.
 */
import { execFile } from 'node:child_process';
import { throwIfAborted } from '../../errors.js';
import type { Provider } from '../../onnx/index.js';

export interface EvaluatorDeviceFacts {
  /** As `evaluatorDevice` of loadEta has it. */
  readonly name: Provider;
  /** Why it cannot be used, or null. */
  readonly refusal: string | null;
}

/** A first start compiles shaders. */
const PATIENCE_MS = 60_000;

/** @throws AbortError */
export async function examineEvaluatorDevices(signal: AbortSignal): Promise<EvaluatorDeviceFacts[]> {
  const { publishedProviders } = await import('../../onnx/index.js');
  const facts = await Promise.all(
    publishedProviders().map(async (name) => ({ name, refusal: await refusalOf(name, signal) })),
  );
  throwIfAborted(signal);
  return facts;
}

function refusalOf(name: Provider, signal: AbortSignal): Promise<string | null> {
  const onnx = new URL('../../onnx/index.js', import.meta.url).href;
  const program = `
    const { EvaluatorWorker } = await import(${JSON.stringify(onnx)});
    const worker = await EvaluatorWorker.start();
    const refusal = await worker.probe(${JSON.stringify(name)});
    await worker.dispose();
    process.stdout.write(JSON.stringify({ refusal }));`;
  const options = { signal, timeout: PATIENCE_MS };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '--eval', program], options, (error, stdout) => {
      if (error === null) {
        const { refusal } = JSON.parse(stdout) as { refusal: string | null };
        resolve(refusal);
      } else if (error.killed === true) resolve(`it did not start within ${PATIENCE_MS / 1000} s.`);
      else resolve(`the process that tried it ended with ${error.signal ?? `exit code ${error.code}`}.`);
    });
  });
}
