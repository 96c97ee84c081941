/** The address space of this process, where somebody has limited it (`ulimit -v`): V8 and libraries end a process that runs into that. */
import { readFileSync } from 'node:fs';
import { ModelError } from './errors.js';

const MIB = 2 ** 20;

/**
 * @param neededBytes addresses, which are more than what is ever used of them: a thread with onnxruntime in it reserves a gigabyte
 * @param what needs them, such as "the models"
 * @throws ModelError ERR_MEMORY where fewer are left
 */
export function expectAddressSpace(neededBytes: number, what: string): void {
  const left = addressSpaceLeft();
  if (left === null || left >= neededBytes) return;
  throw new ModelError(
    'ERR_MEMORY',
    `Expected ${Math.ceil(neededBytes / MIB)} MiB of address space for ${what}, received ${Math.max(0, Math.floor(left / MIB))} MiB that are left of this process's limit. Raise it (ulimit -v), or take it away: ulimit -v unlimited.`,
  );
}

/** Bytes; null without a limit, or where nobody tells (elsewhere than on Linux). */
function addressSpaceLeft(): number | null {
  try {
    const limit = /^Max address space +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    const taken = /^VmSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return limit === undefined || taken === undefined ? null : Number(limit) - Number(taken) * 1024;
  } catch {
    return null;
  }
}
