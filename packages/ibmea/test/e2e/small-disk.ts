import { type ProcessResult, runProcess, smallDiskMount, temporaryFolder } from '@lab/core/testing';
import { packageFolder, programArguments } from './ibmea-process.js';

/** Arguments as words of a shell. */
export const words = (argv: readonly string[]) => argv.map((word) => `'${word}'`).join(' ');

/**
 * Runs shell lines where `$DISK` is a tmpfs of 2 MB and `$PAGE` one of a single page. `ibmea ...`
 * runs the program and says `exit CODE` on stderr; `fill KIB` leaves that much space on the disk,
 * `free` all.
 */
export function onSmallDisk(lines: readonly string[]): Promise<ProcessResult> {
  const [disk, page] = [temporaryFolder(), temporaryFolder()];
  const node = words([process.execPath, ...programArguments()]);
  const script = [
    smallDiskMount(disk),
    smallDiskMount(page, '4k'),
    `DISK='${disk}' PAGE='${page}'`,
    `ibmea() { ${node} "$@"; echo "exit $?" >&2; }`,
    `space() { df -k --output=avail "$DISK" | tail -n 1; }`,
    `fill() { dd if=/dev/zero of="$DISK/filler" bs=1k count=$(( $(space) - $1 )) 2>/dev/null; }`,
    `free() { rm "$DISK/filler"; }`,
    ...lines,
  ].join('\n');
  return runProcess('unshare', ['-rm', 'bash', '-c', script], { cwd: packageFolder });
}
