import { ConfigError } from '@lab/core';
import { describe, expect, it } from 'vitest';
import { assertFewFailures, isBeyond, parseErrorLimit } from './error-limit.js';
import { parseShard, shardFile, shardOf } from './shard.js';

describe('parseErrorLimit', () => {
  it('takes numbers and shares', () => {
    expect(parseErrorLimit('20')).toEqual({ count: 20 });
    expect(parseErrorLimit(' 2.5% ')).toEqual({ share: 0.025 });
    for (const text of ['', '-1', '1.5', '101%', 'x%']) {
      expect(() => parseErrorLimit(text)).toThrow(ConfigError);
    }
  });
});

describe('isBeyond and assertFewFailures', () => {
  it('end early only where the end is certain to be beyond the limit', () => {
    expect(isBeyond(1000, 1000, undefined)).toBe(false);
    expect([isBeyond(3, 9, { count: 3 }), isBeyond(4, 9, { count: 3 })]).toEqual([false, true]);
    expect(isBeyond(9, 10, { share: 0.1 })).toBe(false); // too few rows to say
    expect([isBeyond(10, 100, { share: 0.1 }), isBeyond(11, 100, { share: 0.1 })]).toEqual([
      false,
      true,
    ]);
    expect(() => assertFewFailures(0, 5)).not.toThrow();
    expect(() => assertFewFailures(1, 5)).toThrow('1 of 5 rows failed');
    expect(() => assertFewFailures(1, 5, { share: 0.2 })).not.toThrow();
  });
});

describe('shards', () => {
  it('are named i/k from 0', () => {
    expect(parseShard('2/3')).toEqual({ index: 2, count: 3 });
    for (const text of ['3/3', '1', '-1/3', '0/0', 'a/b']) {
      expect(() => parseShard(text)).toThrow(ConfigError);
    }
    expect(shardFile('predictions', { index: 0, count: 3 })).toBe('predictions.0-of-3.jsonl');
    expect(shardFile('predictions', undefined)).toBe('predictions.jsonl');
  });

  it('share rows evenly, and a row stays where it is', () => {
    const counts = [0, 0, 0];
    for (let i = 0; i < 3000; i += 1) counts[shardOf(`row ${i}`, 3)]! += 1;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(100);
    expect(shardOf('row 7', 3)).toBe(shardOf('row 7', 3));
  });
});
