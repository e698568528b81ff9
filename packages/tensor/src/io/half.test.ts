import { describe, expect, it } from 'vitest';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from './half.js';

const isNaNPattern = (pattern: number) => (pattern & 0x7c00) === 0x7c00 && (pattern & 0x3ff) !== 0;

describe('half precision', () => {
  it('turns every binary16 pattern into a value and back', () => {
    const patterns = Uint16Array.from({ length: 65_536 }, (_, index) => index);
    const back = float32ToFloat16(float16ToFloat32(patterns));
    const changed = patterns.filter(
      (pattern) => back[pattern] !== pattern && !isNaNPattern(pattern),
    );
    expect(changed).toHaveLength(0);
    expect(
      patterns.filter((pattern) => isNaNPattern(pattern)).every((p) => isNaNPattern(back[p]!)),
    ).toBe(true);
  });

  it('rounds to the nearest binary16, ties to even', () => {
    const step = 2 ** -10;
    const cases = [
      [1 + step / 2, 1],
      [1 + (3 * step) / 2, 1 + 2 * step],
      [1 + step * 0.51, 1 + step],
      [65519.99, 65504],
      [65520, Number.POSITIVE_INFINITY],
      [-65520, Number.NEGATIVE_INFINITY],
      [2 ** -25, 0],
      [2 ** -25 * 1.01, 2 ** -24],
      [3 * 2 ** -25, 2 ** -23],
      [2 ** -14 - 2 ** -25, 2 ** -14],
    ] as const;
    const got = float16ToFloat32(float32ToFloat16(Float32Array.from(cases, ([value]) => value)));
    expect(Array.from(got)).toEqual(cases.map(([, rounded]) => rounded));
  });

  it('rounds to the nearest bfloat16, ties to even', () => {
    const step = 2 ** -7;
    const cases = [
      [1 + step / 2, 1],
      [1 + (3 * step) / 2, 1 + 2 * step],
      [-(1 + step * 0.51), -(1 + step)],
      [3.4028234663852886e38, Number.POSITIVE_INFINITY],
      [Number.NaN, Number.NaN],
      [0, 0],
    ] as const;
    const got = bfloat16ToFloat32(float32ToBfloat16(Float32Array.from(cases, ([value]) => value)));
    expect(Array.from(got)).toEqual(cases.map(([, rounded]) => rounded));
  });
});
