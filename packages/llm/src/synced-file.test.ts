import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@lab/core/testing';
import { describe, expect, it, vi } from 'vitest';
import { SyncedFile } from './synced-file.js';

/** The class behind file handles, to count and break its calls. */
async function handleClass() {
  const handle = await open('/dev/null', 'r');
  await handle.close();
  return Object.getPrototypeOf(handle) as { datasync(): Promise<void>; write(): Promise<unknown> };
}

describe('SyncedFile', () => {
  it('flushes many lines at once and gives their offsets', async () => {
    const sync = vi.spyOn(await handleClass(), 'datasync');
    const path = join(temporaryFolder(), 'lines');
    const file = await SyncedFile.open(path, { gapMs: 0 });
    const offsets = await Promise.all(['é\n', 'bb\n', 'c\n'].map((text) => file.append(text)));
    expect(offsets).toEqual([0, 3, 6]);
    expect(sync).toHaveBeenCalledTimes(1);
    expect(await file.append('d\n')).toBe(8);
    expect(file.size).toBe(10);
    await file.close();
    expect(readFileSync(path, 'utf8')).toBe('é\nbb\nc\nd\n');
    await expect(file.append('e\n')).rejects.toThrow('closed');
    sync.mockRestore();
  });

  it('waits at most its gap between flushes', async () => {
    const waits: number[] = [];
    const clock = {
      now: () => 0,
      date: () => 0,
      sleep: (milliseconds: number) => {
        waits.push(milliseconds);
        return Promise.resolve();
      },
    };
    const file = await SyncedFile.open(join(temporaryFolder(), 'lines'), { gapMs: 20, clock });
    await file.append('a\n');
    await file.append('b\n');
    await file.settled();
    expect(waits.every((wait) => wait === 20)).toBe(true);
    await file.close();
  });

  it('rejects the lines of one group on a full disk, and keeps all others', async () => {
    const path = join(temporaryFolder(), 'lines');
    const file = await SyncedFile.open(path, { gapMs: 0 });
    await file.append('a\n');
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const sync = vi.spyOn(await handleClass(), 'datasync').mockRejectedValueOnce(full);
    const lost = [file.append('b\n'), file.append('c\n')];
    for (const line of lost) await expect(line).rejects.toThrow('disk full (ENOSPC)');
    sync.mockRestore();
    expect(readFileSync(path, 'utf8')).toBe('a\n');
    expect(await file.append('d\n')).toBe(2);
    await file.close();
    expect(readFileSync(path, 'utf8')).toBe('a\nd\n');
  });

  it('says where a file cannot be made', async () => {
    const path = join(temporaryFolder(), 'none', 'lines');
    await expect(SyncedFile.open(path)).rejects.toThrow(`cannot write ${path}`);
  });
});
