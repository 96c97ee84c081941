/** How many threads a computation gets when nobody says, and what is left beside them. This file imports nothing of ours. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Hyper-threads do not help matrix products. Linux names its cores; elsewhere half of x64's processors, all of arm64's. */
export function physicalCoreCount(): number {
  const logical = availableParallelism();
  if (process.platform !== 'linux') return process.arch === 'x64' ? Math.max(1, logical >> 1) : logical;
  try {
    const cores = new Set<string>();
    let socket = '';
    for (const line of readFileSync('/proc/cpuinfo', 'utf8').split('\n')) {
      if (line.startsWith('physical id')) socket = line;
      if (line.startsWith('core id')) cores.add(`${socket}/${line}`);
    }
    return cores.size === 0 ? logical : Math.min(cores.size, logical);
  } catch {
    return logical; // a container without /proc
  }
}

/** Whether JavaScript has a processor of its own while so many threads compute. */
export function isRoomBeside(threadCount: number): boolean {
  return threadCount < availableParallelism();
}
