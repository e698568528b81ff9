import { describe, expect, it } from 'vitest';
import '@lab/core/testing';
import { empiricalDistribution, kernelDensity } from './density.js';

describe('empiricalDistribution', () => {
  it('steps at each different value', () => {
    const { x, y } = empiricalDistribution([3, 1, 3, 2]);
    expect([...x]).toEqual([1, 2, 3]);
    expect([...y]).toEqual([0.25, 0.5, 1]);
    expect(() => empiricalDistribution([])).toThrow(/there are no values/);
    expect(() => empiricalDistribution([1, Number.NaN])).toThrow(/value 1 is NaN/);
  });
});

describe('kernelDensity', () => {
  const values = [0.1, 0.4, 0.35, 2.2, 1.0];

  it('equals scipy.stats.gaussian_kde', () => {
    const wanted = [
      ...[0.37916336758644986, 0.34845573456432766, 0.16667432585676467, 0.05613417913993207],
    ];
    const { x, y, bandwidth } = kernelDensity(values, { points: 4, range: [0, 3] });
    expect([...x]).toEqual([0, 1, 2, 3]);
    expect(bandwidth).toBeCloseTo(0.6119990726365337, 12);
    expect(y).toBeClose(Float64Array.from(wanted), { rtol: 1e-10, atol: 0 });
  });

  it('adds up to one', () => {
    const { x, y } = kernelDensity(values, { points: 2001 });
    const step = x[1]! - x[0]!;
    expect(y.reduce((sum, value) => sum + value * step, 0)).toBeCloseTo(1, 2);
  });

  it('takes a width of its own, and refuses what has none', () => {
    expect(kernelDensity([2, 2], { bandwidth: 0.5 }).bandwidth).toBe(0.5);
    expect(() => kernelDensity([2, 2])).toThrow(/2 values that do not differ/);
    expect(() => kernelDensity(values, { bandwidth: 0 })).toThrow(/bandwidth is 0/);
    expect(() => kernelDensity(values, { points: 1 })).toThrow(/1 points/);
    expect(() => kernelDensity(values, { range: [1, 1] })).toThrow(/from 1 to 1/);
  });
});
