/**
 * Pages of programs and libraries that were read while they loaded, given back to the system.
 *
 * TensorFlow's libraries are 600 MB of files. To load them, their tables of symbols and relocations
 * are read and every operation registers itself: 250 MB of pages that a training hardly touches
 * again, but which count as memory of the process.
 */
import { readFileSync } from 'node:fs';
import type { KernelAddon } from './kernel-addon.js';

/** Pages side by side, at an address that a number holds exactly. */
export interface PageRange {
  readonly address: number;
  readonly bytes: number;
}

/** The first line of a mapping: its range, permissions, place in the file, device, and inode. */
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ (\d+)/;

/**
 * The mappings of which every page in memory is as its file has it, and cannot be written: code and
 * constants. Tables that the loader has filled in, which are written no more, are not among them.
 *
 * @param smaps - text of `/proc/PID/smaps`.
 */
export function cleanFilePages(smaps: string): PageRange[] {
  const ranges: PageRange[] = [];
  let range: PageRange | null = null;
  const own = { Rss: 0, Anonymous: -1, Swap: -1 };
  const finish = () => {
    if (range !== null && own.Rss > 0 && own.Anonymous === 0 && own.Swap === 0) ranges.push(range);
    Object.assign(own, { Rss: 0, Anonymous: -1, Swap: -1 });
  };
  for (const line of smaps.split('\n')) {
    const mapping = MAPPING.exec(line);
    if (mapping !== null) {
      finish();
      range = readOnlyRange(mapping);
      continue;
    }
    const [, name = '', value] = /^(Rss|Anonymous|Swap): +(\d+) kB/.exec(line) ?? [];
    if (name in own) own[name as keyof typeof own] = Number(value);
  }
  finish();
  return ranges;
}

/** The range of a mapping of a file that cannot be written; else null. */
function readOnlyRange([
  ,
  from = '',
  to = '',
  access = '',
  inode,
]: RegExpExecArray): PageRange | null {
  if (!access.startsWith('r-') || inode === '0') return null;
  const address = Number.parseInt(from, 16);
  return { address, bytes: Number.parseInt(to, 16) - address };
}

/**
 * Gives back the pages of {@link cleanFilePages}; on Linux. What is needed again comes back from
 * the file's pages, which the system keeps as long as it has room.
 *
 * @returns bytes of the mappings whose pages were given back; 0 where that cannot be done.
 */
export function releaseIdlePages(addon: KernelAddon): number {
  if (process.platform !== 'linux') return 0;
  let smaps: string;
  try {
    smaps = readFileSync('/proc/self/smaps', 'utf8');
  } catch {
    return 0; // not allowed to see it
  }
  const released = cleanFilePages(smaps).filter(({ address, bytes }) =>
    addon.releasePages(address, bytes),
  );
  return released.reduce((sum, { bytes }) => sum + bytes, 0);
}
