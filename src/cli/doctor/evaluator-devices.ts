/**
 * Whether evaluators can run on a device of onnxruntime's. Each is tried in a process of its own: a driver can end a
 * process, and onnxruntime writes warnings of its own to stderr.
 */
import { execFile } from 'node:child_process';
import { z } from 'zod';
import { throwIfAborted } from '../../errors.js';
import type { Provider } from '../../onnx/index.js';
import { ONNX_MODULE } from '../installed.js';

export interface EvaluatorDeviceFacts {
  /** As `evaluatorDevice` of loadEta has it. */
  readonly name: Provider;
  /** Why it cannot be used, or null. */
  readonly refusal: string | null;
}

const answerSchema = z.strictObject({ refusal: z.string().nullable() });

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
  const program = `
    const { EvaluatorWorker } = await import(${JSON.stringify(ONNX_MODULE)});
    const worker = await EvaluatorWorker.start();
    const refusal = await worker.probe(${JSON.stringify(name)});
    await worker.dispose();
    process.stdout.write('\\n' + JSON.stringify({ refusal }) + '\\n');`;
  const options = { signal, timeout: PATIENCE_MS };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '--eval', program], options, (error, stdout, stderr) => {
      if (error?.killed === true) resolve(`it did not start within ${PATIENCE_MS / 1000} s.`);
      else resolve(reportOf(error, stdout, stderr));
    });
  });
}

/** @internal What the process said, among whatever else was written to its stdout (NODE_OPTIONS may load anything). */
export function reportOf(
  error: { readonly code?: unknown; readonly signal?: string | null | undefined } | null,
  stdout: string,
  stderr: string,
): string | null {
  const reason = stderr.trim().split('\n').at(-1) ?? '';
  const said = reason === '' ? '.' : `: ${reason}`;
  if (error !== null) return `the process that tried it ended with ${error.signal ?? `exit code ${error.code}`}${said}`;
  for (const line of stdout.split('\n').reverse()) {
    const answer = answerSchema.safeParse(parsed(line));
    if (answer.success) return answer.data.refusal;
  }
  return `the process that tried it did not say how it went${said}`;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // somebody else's
  }
}
