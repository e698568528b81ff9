import { selectBackend, tf } from '@lab/tensor';
import { beforeAll, describe, expect, it } from 'vitest';
import { BlockSource } from './block-source.js';

beforeAll(async () => {
  await selectBackend('cpu');
});

/** Blocks of one row each, and what was done with them, in order. */
function blocksOf(count: number, read = (index: number) => Promise.resolve(index)) {
  const events: string[] = [];
  const blocks = {
    count,
    read: async (index: number) => {
      events.push(`read ${index}`);
      return { row: Float32Array.of(await read(index)) };
    },
  };
  return { blocks, events };
}

const passes = async (source: BlockSource<{ row: Float32Array }>, order: readonly number[]) => {
  const seen: number[] = [];
  for (const index of order) seen.push(await source.use(index, ({ row }) => row.dataSync()[0]!));
  return seen;
};

describe('BlockSource', () => {
  it('reads a block once for all batches, and the next one before this one runs', async () => {
    const { blocks, events } = blocksOf(3);
    const source = new BlockSource(blocks, false);
    const { numTensors } = tf.memory();
    for (const index of [0, 0, 0, 1, 1, 1, 2, 2, 2]) {
      const first = await source.use(index, ({ row }) => {
        events.push(`run ${index}`);
        return row.dataSync()[0];
      });
      expect(first).toBe(index);
      expect(tf.memory().numTensors).toBe(numTensors + 1);
    }
    expect(events).toEqual([
      ...['read 0', 'read 1', 'run 0', 'run 0', 'run 0'],
      ...['read 2', 'run 1', 'run 1', 'run 1', 'run 2', 'run 2', 'run 2'],
    ]);
    source.dispose();
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('reads all of them once where they are to stay', async () => {
    const { blocks, events } = blocksOf(2);
    const source = new BlockSource(blocks, true);
    await source.readAll();
    expect(await passes(source, [0, 1, 0, 1])).toEqual([0, 1, 0, 1]);
    expect(events).toEqual(['read 0', 'read 1']);
    source.dispose();
  });

  it('goes back to an earlier block, and frees what was read in vain', async () => {
    const { blocks, events } = blocksOf(3);
    const source = new BlockSource(blocks, false);
    const { numTensors } = tf.memory();
    expect(await passes(source, [1, 0, 1])).toEqual([1, 0, 1]);
    expect(events).toEqual(['read 1', 'read 2', 'read 0', 'read 1', 'read 2']);
    source.dispose();
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('fails where a block is asked for that cannot be read, not before', async () => {
    const wrong = (index: number) =>
      index === 1 ? Promise.reject(new Error('no block 1')) : Promise.resolve(index);
    const source = new BlockSource(blocksOf(3, wrong).blocks, false);
    expect(await passes(source, [0])).toEqual([0]);
    await expect(passes(source, [1])).rejects.toThrow('no block 1');
    expect(await passes(source, [2])).toEqual([2]);
    source.dispose();
  });
});
