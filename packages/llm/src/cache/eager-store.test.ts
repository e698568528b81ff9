import { DataError } from '@lab/core';
import { describe, expect, it } from 'vitest';
import type { StoredAnswer } from '../answer-cache.js';
import { withoutWaiting } from './eager-store.js';
import { createMemoryStore } from './memory-store.js';

const answer: StoredAnswer = {
  ...{ hash: 'aa', servedModel: 'm', text: 't', reasoning: null, logprobs: null },
  ...{ finish: 'stop', usage: {}, latencyMs: 1 },
};

describe('withoutWaiting', () => {
  it('puts at once and keeps later', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const memory = createMemoryStore();
    const store = withoutWaiting({
      ...memory,
      put: async (kept) => {
        await gate;
        await memory.put(kept);
      },
    });
    await store.put(answer);
    expect(memory.has('aa')).toBe(false);
    release();
    await store.settled();
    expect(await store.get('aa')).toEqual(answer);
    await store.close();
  });

  it('throws a problem at the next put, and at the end', async () => {
    const full = () => Promise.reject(new DataError('disk full'));
    const store = withoutWaiting({ ...createMemoryStore(), put: full });
    await store.put(answer);
    await expect(store.settled()).rejects.toThrow('disk full');
    await expect(store.put(answer)).rejects.toThrow('disk full');
    await expect(store.close()).rejects.toThrow('disk full');
  });
});
