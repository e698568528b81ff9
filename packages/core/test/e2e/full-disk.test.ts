import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasSmallDisk, runProcess, smallDiskMount, temporaryFolder } from '../../src/testing.js';

const root = new URL('../..', import.meta.url).pathname;
describe.skipIf(!hasSmallDisk())('a full disk (needs tmpfs, 2 MB)', () => {
  it('is reported, and old files and whole lines stay', async () => {
    const dir = temporaryFolder();
    const script = join(root, 'test/e2e/fixture/full-disk.ts');
    const node = `"${process.execPath}" --conditions=@lab/source --import tsx "${script}" "${dir}"`;
    const args = ['-rm', 'sh', '-c', `${smallDiskMount(dir)} && exec ${node}`];
    const { code, stdout, stderr } = await runProcess('unshare', args, { cwd: root });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const full = (name: string) => ({
      message: `DIR/${name}: disk full (ENOSPC), nothing was changed.`,
      reason: 'disk-full',
    });
    expect(JSON.parse(stdout)).toEqual({
      atomic: full('old.txt'),
      oldContent: 'old content',
      afterAtomic: ['old.txt'],
      append: full('rows.jsonl'),
      rowsAreWhole: true,
      torn: false,
      full: full('old.txt'),
      oldAfterFull: 'old content',
      files: ['old.txt', 'rows.jsonl'],
      afterFreeing: 'new content',
      lastExists: true,
    });
  });
});
