import { afterEach, describe, expect, it, vi } from 'vitest';

afterEach(() => {
  vi.doUnmock('usearch');
  vi.resetModules();
});

describe('createVectorIndex', () => {
  it('finds the nearest, and -1 where there are fewer', async () => {
    const { createVectorIndex, hasVectorIndex } = await import('./vector-index.js');
    expect(await hasVectorIndex()).toBe(true);
    const index = await createVectorIndex(2);
    index.add(Float32Array.of(1, 0, 0, 1));
    index.add(Float32Array.of(-1, 0));
    expect([...index.search(Float32Array.of(0.9, 0.1, -0.9, 0.1), 4)]).toEqual([
      ...[0, 1, 2, -1],
      ...[2, 1, 0, -1],
    ]);
    expect(index.search(Float32Array.of(0, 1), 1)).toEqual(Int32Array.of(1));
    expect([...index.search(Float32Array.of(0, 1), 5)].slice(3)).toEqual([-1, -1]);
  });

  it('says what to install', async () => {
    vi.doMock('usearch', () => {
      throw new Error('no such package');
    });
    vi.resetModules();
    const { createVectorIndex, hasVectorIndex } = await import('./vector-index.js');
    expect(await hasVectorIndex()).toBe(false);
    await expect(createVectorIndex(2)).rejects.toMatchObject({
      code: 'LAB_BACKEND',
      help: expect.stringContaining('npm install usearch') as string,
    });
  });
});
