/**
 * Keeps onnxruntime quiet. Its official builds report to their maker from version 1.29 on: files under HOME, a log in the
 * folder for temporary files, a TLS connection that can hold the process for minutes. Only the environment of the process
 * itself, read when its first model is opened, stops all of that.
 */
import { isMainThread } from 'node:worker_threads';
import { loadBinding } from '../native/binding.js';
import type { LoadedOnnxruntime, NativeBinding } from '../native/binding-types.js';

const VARIABLE = 'ORT_DISABLE_TELEMETRY';

/** What onnxruntime takes for yes. */
const YES = /^\s*(1|true|yes|on|y)\s*$/i;

/** On a build machine it is quiet by itself, where CI is neither empty nor one of these. */
const NO_CI = /^\s*(0|false|no|off)?\s*$/i;

/** The first version that reports. On Windows it hands its events to the system, and neither writes nor connects. */
const FIRST_REPORTING = [1, 29] as const;

/** Code of the process warning where a copy of onnxruntime was loaded before us and had not been told to be quiet. */
const TELEMETRY_WARNING = 'ETA_ONNXRUNTIME_TELEMETRY';

let earlier: LoadedOnnxruntime | undefined;

/** Off, or "maybe-on" where the application had loaded onnxruntime before and not told it to be quiet. */
export function telemetryState(): 'off' | 'maybe-on' {
  return earlier === undefined ? 'off' : 'maybe-on';
}

/**
 * Before every load of onnxruntime. The variable stays: children and threads that are started later get it too.
 *
 * @throws EngineError ERR_ADDON_NOT_FOUND or ERR_ADDON_INVALID in a worker thread, whose process.env is only a copy
 */
export function keepTelemetryOff(): void {
  const addon = loadAddon();
  const value = (name: string) => (addon === undefined ? process.env[name] : addon.variable(name)) ?? '';
  const wasOff = YES.test(value(VARIABLE)) || !NO_CI.test(value('CI'));
  const before = wasOff ? undefined : addon?.loadedOnnxruntimes().find(reports);
  process.env[VARIABLE] = '1';
  if (!YES.test(value(VARIABLE))) addon?.setVariable(VARIABLE, '1');
  if (before === undefined) return;
  earlier = before;
  process.emitWarning(
    `onnxruntime ${before.version} (${before.path}) was loaded before eta-vlm and had not been told to be quiet: it may write files ` +
      `under HOME, report to its maker, and keep the process from ending. Set ${VARIABLE}=1 in the environment of the process ` +
      'before it starts, or load eta-vlm first. docs/privacy.md says more.',
    { type: 'EtaWarning', code: TELEMETRY_WARNING },
  );
}

/** The main thread can do without: its process.env is the real one. */
function loadAddon(): NativeBinding | undefined {
  try {
    return loadBinding();
  } catch (error) {
    if (isMainThread) return undefined;
    throw error;
  }
}

function reports({ version }: LoadedOnnxruntime): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [firstMajor, firstMinor] = FIRST_REPORTING;
  return process.platform !== 'win32' && (major > firstMajor || (major === firstMajor && minor >= firstMinor));
}
