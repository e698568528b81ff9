import { join } from 'node:path';
import { hasSmallDisk, runProcess, smallDiskMount, temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';
import { readCheckpoint } from '../../src/io.js';

const root = new URL('../..', import.meta.url).pathname;
const fixture = (name: string) => join(root, 'test/e2e/fixture', name);
const loader = ['--conditions=@lab/source', '--import', 'tsx'];
describe('a process killed while it writes checkpoints', () => {
  it.each([1, 2, 5, 9])('leaves a whole one after number %i', async (kill) => {
    const dir = join(temporaryFolder(), 'checkpoint');
    const args = [...loader, fixture('write-checkpoints.ts'), dir];
    const send = [{ after: `written ${kill};`, signal: 'SIGKILL' as const }];
    const { code } = await runProcess(process.execPath, args, { cwd: root, send });
    expect(code).toBe(137);
    const { tensors, meta } = await readCheckpoint(dir);
    const { number } = meta as { number: number };
    expect(number).toBeGreaterThanOrEqual(kill);
    expect(tensors['data']!.data).toHaveLength(1_000_000);
    expect((tensors['data']!.data as Float32Array).every((value) => value === number)).toBe(true);
  });
});

describe.skipIf(!hasSmallDisk())('a full disk (needs tmpfs, 2 MB)', () => {
  it('is reported by every writer, and what was there stays', async () => {
    const dir = temporaryFolder();
    const node = [`"${process.execPath}"`, ...loader, `"${fixture('full-disk.ts')}"`, `"${dir}"`];
    const args = ['-rm', 'sh', '-c', `${smallDiskMount(dir)} && exec ${node.join(' ')}`];
    const { code, stdout, stderr } = await runProcess('unshare', args, { cwd: root });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      tensors: 'disk-full',
      manifest: 'disk-full',
      checkpoint: {
        meta: { epoch: 1 },
        length: 50_000,
        files: ['checkpoint.json', 'tensors-a.safetensors'],
      },
      after: { epoch: 3 },
      npy: 'disk-full',
      npyLength: 10,
      safetensors: 'disk-full',
      safetensorsNames: ['a'],
      files: ['a.npy', 'a.safetensors', 'checkpoint'],
    });
  });
});
