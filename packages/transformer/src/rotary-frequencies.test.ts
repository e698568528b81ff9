import { describe, expect, it } from 'vitest';
import { rotaryAngles } from './rotary-frequencies.js';

const llama3 = {
  kind: 'llama3',
  factor: 8,
  lowFrequencyFactor: 1,
  highFrequencyFactor: 4,
  originalPositions: 8192,
} as const;

describe('rotaryAngles', () => {
  it('of Llama 3.1 are those of the published model', () => {
    const rules = { base: 5e5, width: 128, scaling: llama3 };
    const { inverseFrequencies: found, attentionFactor } = rotaryAngles(rules, 10);
    const wanted = {
      ...{ 28: 3.21144599e-3, 29: 2.16657076e-3, 32: 5.24846161e-4, 34: 1.78507813e-4 },
      ...{ 36: 7.78465527e-5, 63: 3.06892599e-7 },
    };
    for (const [pair, angle] of Object.entries(wanted)) {
      expect(Math.abs(found[Number(pair)]! / angle - 1), pair).toBeLessThan(1e-6);
    }
    expect(attentionFactor).toBe(1);
  });

  it('are stretched by a factor, and by the length where scaling is dynamic', () => {
    const plain = rotaryAngles({ base: 1e4, width: 8, scaling: { kind: 'default' } }, 5);
    const linear = rotaryAngles({ base: 1e4, width: 8, scaling: { kind: 'linear', factor: 4 } }, 5);
    const scaling = { kind: 'dynamic', factor: 2, maxPositions: 10 } as const;
    const dynamic = (length: number) => rotaryAngles({ base: 1e4, width: 8, scaling }, length);
    expect([...linear.inverseFrequencies]).toEqual(
      [...plain.inverseFrequencies].map((angle) => angle / 4),
    );
    expect([...dynamic(5).inverseFrequencies]).toEqual([...plain.inverseFrequencies]);
    expect(dynamic(30).inverseFrequencies[3]!).toBeCloseTo((1e4 * 5 ** (8 / 6)) ** (-6 / 8), 10);
  });

  it('of an odd share of a head have its size in their exponents', () => {
    const rules = { base: 16, width: 4, exponentWidth: 3, scaling: { kind: 'default' } } as const;
    const { inverseFrequencies: found } = rotaryAngles(rules, 5);
    // 1.0 / 16 ** (torch.arange(0, 3, 2).float() / 3)
    expect([...found]).toEqual([1, Math.fround(0.15749011933803558)]);
  });
});
