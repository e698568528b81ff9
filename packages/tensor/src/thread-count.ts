/**
 * How many threads this process may keep busy.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined; // no such control group here
  }
}

/** Whole processors of a quota of `microseconds` in each `period`; undefined without a quota. */
function processorsOf(quota: string | undefined, period: string | undefined): number | undefined {
  const share = Number(quota) / Number(period);
  return Number.isFinite(share) && share > 0 ? Math.max(1, Math.floor(share)) : undefined;
}

/**
 * Processors that the control group's quota allows, rounded down; undefined without a quota.
 *
 * @param root - where control groups are mounted; tests give their own.
 */
export function quotaProcessors(root = '/sys/fs/cgroup'): number | undefined {
  const [quota, period] = readLine(`${root}/cpu.max`)?.split(' ') ?? [];
  const second = processorsOf(quota, period);
  if (second !== undefined) return second;
  const first = (name: string) => readLine(`${root}/cpu/cpu.cfs_${name}_us`);
  return processorsOf(first('quota'), first('period'));
}

/** Threads worth starting: the processors the system gives, within the control group's quota. */
export function availableThreads(): number {
  return Math.max(1, Math.min(availableParallelism(), quotaProcessors() ?? Infinity));
}
