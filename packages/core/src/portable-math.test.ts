import { describe, expect, it } from 'vitest';
import { portableExp, portableLog } from './portable-math.js';

const accuracy = 1e-15; // a few units in the last place

describe('portable logarithm and exponential', () => {
  it('agrees with Math.log over the whole range', () => {
    for (let e = -300; e <= 300; e += 7) {
      for (const m of [1, 1.3, 1.41421356, 1.5, 1.999]) {
        const x = m * 10 ** e;
        const error = Math.abs(portableLog(x) - Math.log(x));
        expect(error).toBeLessThanOrEqual(accuracy * Math.max(1, Math.abs(Math.log(x))));
      }
    }
    expect(portableLog(1)).toBe(0);
  });

  it('agrees with Math.exp between -700 and 700', () => {
    for (let x = -700; x <= 700; x += 3.7) {
      expect(Math.abs(portableExp(x) / Math.exp(x) - 1)).toBeLessThan(accuracy);
    }
    expect(portableExp(0)).toBe(1);
    expect(portableExp(-1000)).toBe(0);
  });
});
