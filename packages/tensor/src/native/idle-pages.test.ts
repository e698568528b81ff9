import { describe, expect, it, vi } from 'vitest';
import { cleanFilePages, type PageRange, releaseIdlePages } from './idle-pages.js';
import type { KernelAddon } from './kernel-addon.js';

interface Mapping {
  readonly access: string;
  readonly inode?: number;
  readonly rss?: number;
  readonly anonymous?: number;
  readonly swap?: number;
}

/** A mapping as `/proc/PID/smaps` has it, at 0x7f0000000000 and so many MiB. */
function smapsOf(mappings: readonly Mapping[]): string {
  const blocks = mappings.map(({ access, inode = 77, rss = 8, anonymous = 0, swap = 0 }, at) => {
    const [from, to] = [at, at + 1].map((mib) => (0x7f0000000000 + mib * 2 ** 20).toString(16));
    const path = inode === 0 ? '' : '   /usr/lib/libexample.so.2';
    return [
      `${from}-${to} ${access} 00001000 fe:00 ${inode}${path}`,
      ...['Size:               1024 kB', 'KernelPageSize:        4 kB', `Rss: ${rss} kB`],
      ...[`Private_Clean: ${rss} kB`, `Anonymous: ${anonymous} kB`, 'AnonHugePages: 0 kB'],
      ...[`Swap: ${swap} kB`, `SwapPss: ${swap} kB`, 'VmFlags: rd ex mr mw me'],
    ].join('\n');
  });
  return `${blocks.join('\n')}\n`;
}

const rangeAt = (mib: number): PageRange => ({
  address: 0x7f0000000000 + mib * 2 ** 20,
  bytes: 2 ** 20,
});

describe('pages that a file has too', () => {
  it('are those of code and of constants', () => {
    const smaps = smapsOf([{ access: 'r-xp' }, { access: 'r--p' }, { access: 'r--s' }]);
    expect(cleanFilePages(smaps)).toEqual([0, 1, 2].map(rangeAt));
  });

  it.each<[string, Mapping]>([
    ['can be written', { access: 'rw-p' }],
    ['belong to no file', { access: 'r-xp', inode: 0 }],
    ['were written by the loader', { access: 'r--p', anonymous: 4 }],
    ['were written and are on the disk', { access: 'r--p', swap: 4 }],
    ['are not in memory', { access: 'r--p', rss: 0 }],
    ['cannot be read', { access: '---p' }],
  ])('are none that %s', (_, mapping) => {
    const smaps = smapsOf([{ access: 'r-xp' }, mapping, { access: 'r-xp' }]);
    expect(cleanFilePages(smaps)).toEqual([rangeAt(0), rangeAt(2)]);
  });

  it('are none where the system does not say how many were written', () => {
    const smaps = smapsOf([{ access: 'r-xp' }]);
    expect(cleanFilePages(smaps.replace(/^Anonymous.*\n/m, ''))).toEqual([]);
    expect(cleanFilePages(smaps.replace(/^Swap: .*\n/m, ''))).toEqual([]);
    expect(cleanFilePages('')).toEqual([]);
  });
});

describe('giving them back', () => {
  const addonOf = (releasePages: KernelAddon['releasePages']) => ({ releasePages }) as KernelAddon;

  it.runIf(process.platform === 'linux')('counts what the system took', () => {
    const ranges: PageRange[] = [];
    const bytes = releaseIdlePages(
      addonOf((address, length) => ranges.push({ address, bytes: length }) % 2 === 1),
    );
    // This process has the code of Node, at least.
    expect(ranges.length).toBeGreaterThan(0);
    const taken = ranges.filter((_, at) => at % 2 === 0);
    expect(bytes).toBe(taken.reduce((sum, range) => sum + range.bytes, 0));
  });

  it('is left out on other systems', () => {
    const { platform } = process;
    const releasePages = vi.fn(() => true);
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    try {
      expect(releaseIdlePages(addonOf(releasePages))).toBe(0);
    } finally {
      Object.defineProperty(process, 'platform', { value: platform });
    }
    expect(releasePages).not.toHaveBeenCalled();
  });
});
