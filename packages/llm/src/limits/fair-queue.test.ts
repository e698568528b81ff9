import { describe, expect, it } from 'vitest';
import { createFairQueue } from './fair-queue.js';

const drain = (queue: ReturnType<typeof createFairQueue<string>>): string[] => {
  const items: string[] = [];
  while (queue.size > 0) {
    const next = queue.peek();
    expect(queue.take()).toBe(next);
    items.push(next!);
  }
  return items;
};

describe('createFairQueue', () => {
  it('gives each name its turn', () => {
    const queue = createFairQueue<string>();
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.add(item[0]!, item);
    expect(queue.size).toBe(6);
    expect(drain(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
    expect(queue.take()).toBeUndefined();
    expect(queue.peek()).toBeUndefined();
  });

  it('lets repeats go first', () => {
    const queue = createFairQueue<string>();
    queue.add('a', 'a1');
    queue.add('a', 'r1', true);
    queue.add('b', 'r2', true);
    expect(drain(queue)).toEqual(['r1', 'r2', 'a1']);
  });

  it('forgets what is removed', () => {
    const queue = createFairQueue<string>();
    for (const item of ['a1', 'b1', 'a2']) queue.add(item[0]!, item);
    queue.add('a', 'r1', true);
    for (const item of ['b1', 'r1', 'none']) queue.remove(item);
    expect(queue.size).toBe(2);
    expect(drain(queue)).toEqual(['a1', 'a2']);
  });

  it('keeps the order over many items', () => {
    const queue = createFairQueue<number>();
    for (let item = 0; item < 10_000; item += 1) queue.add('', item);
    for (let item = 0; item < 10_000; item += 1) expect(queue.take()).toBe(item);
    expect(queue.size).toBe(0);
  });
});
