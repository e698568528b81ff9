import { describe, expect, it } from 'vitest';
import { ConfigError } from './errors.js';
import { createMersenneTwister } from './mersenne-twister.js';

describe('createMersenneTwister', () => {
  // numpy.random.RandomState(42).permutation(n)[:10]
  it.each([
    [10, [8, 1, 5, 0, 7, 2, 9, 4, 3, 6]],
    [202, [95, 15, 30, 159, 186, 115, 69, 172, 161, 45]],
    [1000, [521, 737, 740, 660, 411, 678, 626, 513, 859, 136]],
    [1466, [1191, 184, 1219, 67, 220, 494, 430, 240, 218, 49]],
  ])('permutes %i as NumPy does', (n, expected) => {
    const order = createMersenneTwister(42).permutation(n);
    expect(Array.from(order.subarray(0, 10))).toEqual(expected);
    expect(new Set(order).size).toBe(n);
  });

  it('gives the first words of the reference', () => {
    const bits = createMersenneTwister(5489);
    expect([bits.next32(), bits.next32(), bits.next32()]).toEqual([
      3499211612, 581869302, 3890346734,
    ]);
    for (let i = 3; i < 9999; i += 1) bits.next32();
    expect(bits.next32()).toBe(4123659995); // the 10,000th
  });

  it('draws uniform numbers of 53 bits as random_sample', () => {
    const random = createMersenneTwister(42);
    expect(random.uniform()).toBe(0.3745401188473625);
    expect(random.uniform()).toBe(0.9507143064099162);
  });

  it('draws up to a largest value, which 0 takes nothing from', () => {
    const [random, twin] = [createMersenneTwister(0), createMersenneTwister(0)];
    expect(random.integerUpTo(0)).toBe(0);
    expect(random.next32()).toBe(twin.next32());
    expect(createMersenneTwister(7).integerUpTo(0xffffffff)).toBe(
      createMersenneTwister(7).next32(),
    );
    const seen = new Set(Array.from({ length: 200 }, () => random.integerUpTo(4)));
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
  });

  it('refuses seeds and limits that NumPy refuses', () => {
    for (const seed of [-1, 1.5, 2 ** 32, Number.NaN]) {
      expect(() => createMersenneTwister(seed), String(seed)).toThrow(ConfigError);
    }
    expect(() => createMersenneTwister(1).integerUpTo(-1)).toThrow(/integerUpTo\(-1\)/);
  });
});
