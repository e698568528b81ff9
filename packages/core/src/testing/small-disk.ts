import { spawnSync } from 'node:child_process';
import { requireCondition } from './require-program.js';
import { temporaryFolder } from './temporary-folder.js';

/** A line of a shell under `unshare -rm` that makes a folder a tmpfs of that size. */
export const smallDiskMount = (dir: string, size = '2m'): string =>
  `mount -t tmpfs -o size=${size} tmpfs '${dir}'`;

/** Whether a tmpfs can be mounted here; under `LAB_REQUIRE` with `tmpfs` it must. */
export function hasSmallDisk(): boolean {
  const command = ['-rm', 'sh', '-c', smallDiskMount(temporaryFolder())];
  const { status } = spawnSync('unshare', command, { stdio: 'ignore' });
  return requireCondition('tmpfs', status === 0);
}
