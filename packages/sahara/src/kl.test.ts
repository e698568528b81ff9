import { expect, test } from 'vitest';
import { divergenceFrom, klDivergence } from './kl.js';

const [p, q] = [
  [0.7, 0.2, 0.1],
  [0.2, 0.3, 0.5],
];

// Computed with NumPy in float64, in both directions.
test.each([
  ['stable', 0.6348972650817144, 0.6758058949504259],
  ['official', 0.6348972650795859, 0.6758058949474022],
] as const)('divergence, %s', (numerics, forth, back) => {
  expect(klDivergence(p!, q!, numerics)).toBeCloseTo(forth, 14);
  expect(klDivergence(q!, p!, numerics)).toBeCloseTo(back, 14);
});

test('from logits it is that of their distributions, and of nothing but itself 0', () => {
  const logits = (values: readonly number[]) =>
    Float32Array.from(values, (value) => Math.log(value) + 5);
  const from = divergenceFrom(logits(p!), 'stable');
  expect(from.to(logits(q!))).toBeCloseTo(0.6348972650817144, 6);
  expect(from).toMatchObject({ token: 0 });
  expect(from.probability).toBeCloseTo(0.7, 6);
  expect(from.to(logits(p!))).toBe(0);
  expect(divergenceFrom(logits(p!), 'official').to(logits(q!))).toBeCloseTo(0.63489726, 6);
});

test('small divergences keep their digits where probabilities in float32 lose them', () => {
  const base = Float32Array.of(1, 0, -1);
  const moved = Float32Array.of(1 + 2 ** -12, 0, -1);
  const probability = Math.E / (Math.E + 1 + 1 / Math.E);
  // Second order: half the variance of what is added.
  const wanted = (probability * (1 - probability) * 2 ** -24) / 2;
  expect(divergenceFrom(base, 'stable').to(moved) / wanted).toBeCloseTo(1, 3);
  expect(divergenceFrom(base, 'official').to(moved) / wanted).not.toBeCloseTo(1, 1);
});

test('changes of every size give what the definition gives', () => {
  const base = Float32Array.of(2, 0.5, -1, 0);
  for (const size of [0.01, 0.2, 0.26, 1, 5, 40]) {
    const moved = base.map((value, at) => value + size * ([1, -1, 0.5, 0][at]! - 30));
    const softmax = (logits: Float32Array) => {
      const most = Math.max(...logits);
      const shares = Array.from(logits, (value) => Math.exp(value - most));
      return shares.map((share) => share / shares.reduce((sum, one) => sum + one, 0));
    };
    const wanted = klDivergence(softmax(base), softmax(moved));
    expect(divergenceFrom(base, 'stable').to(moved) / wanted).toBeCloseTo(1, 6);
  }
});

test.each(['stable', 'official'] as const)('what is not finite gives NaN, %s', (numerics) => {
  const from = divergenceFrom(Float32Array.of(1, 2, 3), numerics);
  expect(from.to(Float32Array.of(1, Number.NaN, 3))).toBeNaN();
  expect(from.to(Float32Array.of(1, Number.POSITIVE_INFINITY, 3))).toBeNaN();
  const none = divergenceFrom(Float32Array.of(1, Number.NaN, 3), numerics);
  expect(none.probability).toBeNaN();
});
