import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';

/** Bytes that this process may use at most: the machine's, or those of its control group. */
export function machineMemoryBytes(path = '/sys/fs/cgroup/memory.max'): number {
  try {
    const limit = Number(readFileSync(path, 'utf8'));
    return limit > 0 ? Math.min(limit, totalmem()) : totalmem(); // "max" is no number
  } catch {
    return totalmem(); // no such control group here
  }
}
