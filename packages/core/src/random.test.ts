import { describe, expect, it } from 'vitest';
import { ConfigError } from './errors.js';
import { createRandom } from './random.js';

/** Draws for statistics; bounds below are five standard errors, seeds are fixed. */
const allDraws = 200_000;

function moments(
  draw: () => number,
  drawCount = allDraws,
): { mean: number; variance: number; fourth: number } {
  const values = Float64Array.from({ length: drawCount }, draw);
  const mean = values.reduce((sum, value) => sum + value, 0) / drawCount;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawCount;
  const fourth = values.reduce((sum, value) => sum + (value - mean) ** 4, 0) / drawCount;
  return { mean, variance, fourth };
}

describe('createRandom', () => {
  it('gives fixed numbers for a fixed seed and name', () => {
    const random = createRandom(2024).fork('epoch/12/noise');
    expect(random.name).toBe('epoch/12/noise');
    expect([random.seed32(), random.seed32()]).toEqual([2398759852, 3111813918]);
    expect(random.uniform()).toBe(0.3495006283078529);
    expect(random.integer(1000)).toBe(createAfter(4).integer(1000));
  });

  it('treats number and text seeds alike and refuses fractions', () => {
    expect(createRandom(7).seed32()).toBe(createRandom('7').seed32());
    expect(createRandom(7).seed32()).not.toBe(createRandom(8).seed32());
    expect(() => createRandom(0.5)).toThrow(ConfigError);
    expect(() => createRandom(Number.NaN)).toThrow('seed NaN');
  });

  it('forks by seed and path, not by the draws made so far', () => {
    const parent = createRandom(1);
    const before = parent.fork('a').seed32();
    for (let i = 0; i < 10; i += 1) parent.normal();
    expect(parent.fork('a').seed32()).toBe(before);
    expect(parent.fork('a').fork('b').seed32()).toBe(parent.fork('a/b').seed32());
    expect(parent.fork('b').seed32()).not.toBe(before);
  });

  it('does not touch the parent when it forks', () => {
    const [one, two] = [createRandom(3), createRandom(3)];
    one.fork('x').uniform();
    expect(one.seed32()).toBe(two.seed32());
  });
});

function createAfter(draws: number) {
  const random = createRandom(2024).fork('epoch/12/noise');
  for (let i = 0; i < draws; i += 1) random.seed32();
  return random;
}

describe('uniform', () => {
  it('has the moments of the uniform distribution', () => {
    const random = createRandom(11);
    const { mean, variance } = moments(() => random.uniform());
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / allDraws));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.001);
  });

  it('sets each of its 32 bits half of the time', () => {
    const random = createRandom(12);
    const counts = new Array<number>(32).fill(0);
    for (let i = 0; i < allDraws; i += 1) {
      const bits = random.seed32();
      for (let bit = 0; bit < 32; bit += 1) counts[bit]! += (bits >>> bit) & 1;
    }
    const bound = 5 * Math.sqrt(allDraws / 4);
    for (const count of counts) expect(Math.abs(count - allDraws / 2)).toBeLessThan(bound);
  });

  it('fills a float array within its limits', () => {
    const out = createRandom(13).fillUniform(new Float32Array(allDraws), -2, 3);
    expect(Math.min(...out.subarray(0, 1000))).toBeGreaterThanOrEqual(-2);
    expect(out.every((value) => value >= -2 && value < 3)).toBe(true);
    const mean = out.reduce((sum, value) => sum + value, 0) / allDraws;
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(25 / 12 / allDraws));
  });
});

describe('normal', () => {
  const limits = { mean: 5 / Math.sqrt(allDraws), variance: 0.016, fourth: 0.11 };

  it('has mean 0, variance 1 and fourth moment 3', () => {
    const random = createRandom(21);
    const got = moments(() => random.normal());
    expect(Math.abs(got.mean)).toBeLessThan(limits.mean);
    expect(Math.abs(got.variance - 1)).toBeLessThan(limits.variance);
    expect(Math.abs(got.fourth - 3)).toBeLessThan(limits.fourth);
  });

  it('fits the normal distribution bin by bin (chi-square, 27 degrees of freedom)', () => {
    const out = createRandom(22).fillNormal(new Float32Array(allDraws));
    const edges = Array.from({ length: 27 }, (_, i) => -3.25 + i / 4);
    const counts = new Array<number>(28).fill(0);
    for (const value of out) counts[edges.filter((edge) => value >= edge).length]! += 1;
    const bounds = [0, ...edges.map(normalShare), 1];
    let chiSquare = 0;
    for (const [bin, count] of counts.entries()) {
      const expected = (bounds[bin + 1]! - bounds[bin]!) * allDraws;
      chiSquare += (count - expected) ** 2 / expected;
    }
    expect(chiSquare).toBeLessThan(55.5); // the .999 quantile
  });

  it('reaches the tail beyond the last layer with the right frequency', () => {
    const out = createRandom(23).fillNormal(new Float32Array(1_000_000));
    const tailCount = out.filter((value) => Math.abs(value) > 3.6541528853610088).length;
    const expected = 258.0; // 2 (1 - Phi(3.65415)) of a million
    expect(Math.abs(tailCount - expected)).toBeLessThan(5 * Math.sqrt(expected));
  });

  it('scales and shifts', () => {
    const plain = createRandom(24).fillNormal(new Float32Array(8));
    const moved = createRandom(24).fillNormal(new Float32Array(8), 10, 2);
    for (const [i, value] of moved.entries()) expect(value).toBeCloseTo(10 + 2 * plain[i]!, 5);
  });

  it('has no correlation between neighbours or streams', () => {
    const a = createRandom(25).fork('1').fillNormal(new Float32Array(allDraws));
    const b = createRandom(25).fork('2').fillNormal(new Float32Array(allDraws));
    let neighbours = 0;
    let streams = 0;
    for (let i = 1; i < allDraws; i += 1) {
      neighbours += (a[i]! * a[i - 1]!) / allDraws;
      streams += (a[i]! * b[i]!) / allDraws;
    }
    expect(Math.abs(neighbours)).toBeLessThan(5 / Math.sqrt(allDraws));
    expect(Math.abs(streams)).toBeLessThan(5 / Math.sqrt(allDraws));
  });
});

/** The normal distribution function by Simpson's rule. */
function normalShare(x: number): number {
  const steps = 2000;
  const width = (x + 10) / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i += 1) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-((-10 + i * width) ** 2) / 2);
  }
  return (sum * width) / 3 / Math.sqrt(2 * Math.PI);
}

describe('integer, shuffle and permutation', () => {
  it('draws each number equally often', () => {
    const random = createRandom(31);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i += 1) counts[random.integer(7)]! += 1;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * 93);
  });

  it('reaches beyond 32 bits and refuses what is no count', () => {
    const random = createRandom(32);
    const large = Array.from({ length: 50 }, () => random.integer(2 ** 50));
    expect(Math.max(...large)).toBeGreaterThan(2 ** 40);
    expect(random.integer(1)).toBe(0);
    // The remainder of the same bits, whichever bound was asked for before.
    const [drawn, bits] = [createRandom(3), createRandom(3)];
    for (let i = 0; i < 30_000; i += 1) {
      const below = [7, 1000, 2 ** 31 + 1, 2 ** 32, 2 ** 32 - 1][i % 5]!;
      let draw = bits.seed32();
      while (draw >= 2 ** 32 - (2 ** 32 % below)) draw = bits.seed32();
      if (drawn.integer(below) !== draw % below) throw new Error(`${below}: ${draw}`);
    }
    for (const below of [0, -1, 1.5]) expect(() => random.integer(below)).toThrow(ConfigError);
  });

  it('gives every order of three equally often', () => {
    const random = createRandom(33);
    const counts = new Map<string, number>();
    for (let i = 0; i < 60_000; i += 1) {
      const key = random.permutation(3).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(5 * 92);
  });

  it('shuffles in place and accepts what is empty', () => {
    const list = ['a', 'b', 'c'];
    expect(createRandom(34).shuffle(list)).toBe(list);
    expect([...list].sort()).toEqual(['a', 'b', 'c']);
    expect(createRandom(34).permutation(0)).toHaveLength(0);
  });
});

describe('beta', () => {
  it.each([
    [1, 1],
    [0.2, 0.2],
    [2, 5],
    [0.001, 0.001],
  ])('beta(%d, %d) has its mean and variance', (a, b) => {
    const random = createRandom(41);
    const betaDraws = 40_000;
    const got = moments(() => random.beta(a, b), betaDraws);
    const variance = (a * b) / ((a + b) ** 2 * (a + b + 1));
    expect(Math.abs(got.mean - a / (a + b))).toBeLessThan(5 * Math.sqrt(variance / betaDraws));
    expect(Math.abs(got.variance - variance)).toBeLessThan(0.004);
  });

  it('refuses parameters that are not above 0', () => {
    expect(() => createRandom(1).beta(0, 1)).toThrow('beta(0, 1)');
    expect(() => createRandom(1).beta(1, Number.NaN)).toThrow(ConfigError);
  });
});
