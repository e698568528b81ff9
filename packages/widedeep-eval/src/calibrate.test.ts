import { expect, test } from 'vitest';
import { calibrateTau, splitForCalibration } from './calibrate.js';
import { sampleWithVerdict } from './readers/stored-verdicts.js';
import type { Verdict } from './verdict.js';

const sample = (difference: number, gold: Verdict) => ({ difference, gold });

test('tau lies half-way between what is a tie and what is not', () => {
  const samples = [sample(0.1, 'tie'), sample(-0.3, 'tie'), sample(0.9, '1'), sample(-2, '2')];
  expect(calibrateTau(samples)).toEqual({ tau: 0.6, accuracy: 1, accuracyAtZero: 0.5, n: 4 });
});

test('of equally good ones the smallest, and 0 where ties do no good', () => {
  expect(calibrateTau([sample(0.5, '1'), sample(-1, '2')]).tau).toBe(0);
  expect(calibrateTau([sample(0, 'tie'), sample(1, '1')])).toMatchObject({ tau: 0, accuracy: 1 });
  expect(calibrateTau([sample(1, 'tie'), sample(-1, 'tie')])).toMatchObject({
    tau: 1,
    accuracy: 1,
  });
});

test('equal differences are ties together', () => {
  const samples = [sample(1, 'tie'), sample(1, '1'), sample(1, '1'), sample(0.2, 'tie')];
  expect(calibrateTau(samples)).toMatchObject({ tau: 0.6, accuracy: 3 / 4 });
});

test('the best of all thresholds, tried one by one', () => {
  const golds = ['1', '2', 'tie'] as const;
  const samples = Array.from({ length: 60 }, (_, at) =>
    sample(Math.sin(at * 7) * 3, golds[(at * at) % 3]!),
  );
  const { accuracy } = calibrateTau(samples);
  const at = (tau: number) =>
    samples.filter(({ difference: d, gold }) => (d > tau ? '1' : -d > tau ? '2' : 'tie') === gold)
      .length;
  const best = Math.max(...samples.map(({ difference }) => at(Math.abs(difference))), at(0));
  expect(accuracy).toBe(best / samples.length);
});

test('what it is evaluated on is not what it is chosen on', () => {
  const head = { dataset: 'x', family: 'qa', gold: '1' as const };
  const samples = ['a', 'b', 'c'].map((id) => sampleWithVerdict({ ...head, id }, '1'));
  const { development, test: others } = splitForCalibration(samples, ({ id }) => id === 'a');
  expect([development.length, others.length]).toEqual([1, 2]);
  expect(() => splitForCalibration(samples, () => true)).toThrow(/3 development samples and 0/);
  expect(() => calibrateTau([])).toThrow(/no development sample/);
});
