import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProcess, temporaryFolder } from '@lab/core/testing';
import { describe, expect, it } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
const script = join(root, 'test/e2e/fixture/read-large.ts');

/** Node and the loader of the test alone need some 110 MB. */
const baseBytes = 160e6;

async function run(task: string, path: string): Promise<Record<string, number>> {
  const args = ['--conditions=@lab/source', '--import', 'tsx', script, task, path];
  const { code, stdout, stderr } = await runProcess(process.execPath, args, { cwd: root });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, number>;
}

/** One item of a dict: key, `_reconstruct`, and its state, as NumPy writes them. */
function imageItem(key: number, length: number): Buffer {
  const data = new Float32Array(length).fill(key);
  const item = Buffer.from(
    'J\0\0\0\0cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\x01b\x87R' +
      '(K\x01M\0\0\x85cnumpy\ndtype\nX\x02\0\0\0f4\x89\x88\x87R(K\x03X\x01\0\0\0<NNNK\0K\0K\0tb' +
      '\x89B\0\0\0\0',
    'latin1',
  );
  item.writeInt32LE(key, 1);
  item.writeUInt16LE(length, item.indexOf('(K\x01M') + 4);
  item.writeUInt32LE(4 * length, item.length - 4);
  return Buffer.concat([item, Buffer.from(data.buffer), Buffer.from('tb')]);
}

describe('large files', () => {
  it('a pickle of 100 MB of images takes the memory of its images', async () => {
    const path = join(temporaryFolder(), 'images.pkl');
    const [count, length] = [6400, 4096];
    appendFileSync(path, Buffer.from('\x80\x03}(', 'latin1'));
    for (let first = 0; first < count; first += 100) {
      const items = Array.from({ length: 100 }, (_, i) => imageItem(first + i, length));
      appendFileSync(path, Buffer.concat(items));
    }
    appendFileSync(path, 'u.');
    const seen = await run('images', path);
    expect(seen).toMatchObject({ count, sum: count * length });
    expect(seen['peakBytes']).toBeLessThan(baseBytes + count * length * 4);
  });

  it('a checkpoint of 200 MB is written without a copy', async () => {
    const seen = await run('tensors', join(temporaryFolder(), 'checkpoint'));
    expect(seen['addedBytes']).toBeLessThan(20e6);
  });
});
