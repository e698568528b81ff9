import { afterEach, describe, expect, it, vi } from 'vitest';

afterEach(() => {
  vi.doUnmock('usearch');
  vi.resetModules();
});

describe('createVectorIndex', () => {
  it('finds the nearest, and -1 where there are fewer', async () => {
    const { createVectorIndex, hasVectorIndex } = await import('./vector-index.js');
    expect(await hasVectorIndex()).toBe(true);
    const index = await createVectorIndex({ width: 2, searchWidth: 16 });
    index.add(Float32Array.of(1, 0, 0, 1));
    index.add(Float32Array.of(-1, 0));
    expect([...index.search(Float32Array.of(0.9, 0.1, -0.9, 0.1), 4)]).toEqual([
      ...[0, 1, 2, -1],
      ...[2, 1, 0, -1],
    ]);
    expect(index.search(Float32Array.of(0, 1), 1)).toEqual(Int32Array.of(1));
    expect([...index.search(Float32Array.of(0, 1), 5)].slice(3)).toEqual([-1, -1]);
  });

  it('is searched with more effort where it is very large', async () => {
    const { searchEffort } = await import('./vector-index.js');
    expect(searchEffort(300_000)).toEqual({ width: 128, candidates: 32 });
    expect(searchEffort(700_000)).toEqual({ width: 256, candidates: 64 });
  });

  it('says what to install', async () => {
    vi.doMock('usearch', () => {
      throw new Error('no such package');
    });
    vi.resetModules();
    const { createVectorIndex, hasVectorIndex } = await import('./vector-index.js');
    expect(await hasVectorIndex()).toBe(false);
    await expect(createVectorIndex({ width: 2, searchWidth: 16 })).rejects.toMatchObject({
      code: 'LAB_BACKEND',
      help: expect.stringContaining('npm install usearch') as string,
    });
  });
});
