import { describe, expect, it } from 'vitest';
import { RequestLog } from './request-log.js';

describe('RequestLog', () => {
  it('keeps the last thousand', () => {
    const log = new RequestLog<number>();
    for (let i = 0; i < 3500; i += 1) log.add(i, 10);
    const kept = log.entries();
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([1000, 2500, 3499]);
    log.clear();
    expect(log.entries()).toEqual([]);
  });

  it('keeps fewer long ones, and always the last', () => {
    const log = new RequestLog<string>();
    for (const name of ['a', 'b', 'c', 'd']) log.add(name, 30_000_000);
    expect(log.entries()).toEqual(['c', 'd']);
    log.add('huge', 100_000_000);
    expect(log.entries()).toEqual(['huge']);
    log.add('small', 1);
    expect(log.entries()).toEqual(['small']);
  });
});
