import { describe, expect, it } from 'vitest';
import { memoryStore, settings } from './__fixtures__/memory-store.js';
import { readSamples } from './explain.js';
import { classOfScores, scoreState } from './plain-probe.js';
import { shareSamples } from './probe-input.js';
import { fitProbe, type ProbeKind, probeKinds, trainingRows } from './probes.js';

const every = (n: number) => Int32Array.from({ length: n }, (_, row) => row);

async function fitted(kind: ProbeKind, counts: number[], ...set: string[]) {
  const store = memoryStore({ counts, distances: [9] });
  const samples = await readSamples(store, 0);
  const train = every(store.rowCount).filter((row) => row % 3 > 0);
  const rows = trainingRows(samples, store.about.classes, train);
  const probe = await fitProbe(kind, rows, { settings: settings(...set) });
  return { store, samples, probe, test: every(store.rowCount).filter((row) => row % 3 === 0) };
}

describe.each(probeKinds)('%s', (kind) => {
  const counts =
    kind === 'mass-mean'
      ? [[30, 24]]
      : [
          [30, 24],
          [24, 21, 27],
        ];

  it.each(counts)('tells rows that it has not seen apart, %j', async (...own) => {
    const { probe, samples, test } = await fitted(kind, own, 'probe.components=2');
    const margins = probe.margins(test);
    const predicted = probe.predict(margins);
    const wrong = predicted.filter((place, at) => place !== samples.labels[test[at]!]).length;
    expect(wrong).toBe(0);
    expect(probe.converged).toBe(true);
  });

  it.each(counts)('is the same probe as plain data, %j', async (...own) => {
    const { probe, samples, test } = await fitted(kind, own);
    const plain = probe.plain();
    const margins = probe.margins(test);
    const outputs = margins.length / test.length;
    test.forEach((row, at) => {
      const scores = scoreState(plain, samples.rows.values, row * plain.width);
      const expected = margins.subarray(at * outputs, (at + 1) * outputs);
      scores.forEach((score, o) => expect(score).toBeCloseTo(expected[o]!, 4));
      expect(classOfScores(plain, scores)).toBe(probe.predict(expected)[0]);
    });
  });

  it('points from the first class to the second', async () => {
    const { probe } = await fitted(kind, [40, 40]);
    const direction = probe.direction();
    if (kind === 'mlp') return expect(direction).toBeNull();
    expect(Math.hypot(...direction!)).toBeCloseTo(1, 10);
    // The first class lies out along feature 0, the second along feature 1.
    expect(direction![0]).toBeLessThan(-0.3);
    expect(direction![1]).toBeGreaterThan(0.3);
  });
});

describe('fitProbe', () => {
  it('says the most frequent class of rows that are all the same', async () => {
    const values = new Float32Array(7 * 3).fill(0.5);
    const rows = { rowCount: 7, columnCount: 3, values };
    for (const [labels, most] of [
      [[0, 0, 1, 1, 1, 0, 1], 1],
      [[0, 0, 1, 2, 0, 2, 1], 0],
    ] as const) {
      const classes = ['a', 'b', 'c'].slice(0, Math.max(...labels) + 1);
      const samples = shareSamples({ rows, labels: Int32Array.from(labels) });
      for (const kind of probeKinds) {
        const given = trainingRows(samples, classes, every(7));
        const probe = await fitProbe(kind, given, { settings: settings() });
        expect(probe.isDegenerate).toBe(true);
        expect(new Set(probe.predict(probe.margins(every(7)))), kind).toEqual(new Set([most]));
        expect(probe.direction()).toBeNull();
      }
    }
  });

  it('takes the radial basis kernel, which has no weights', async () => {
    const { probe, samples, test } = await fitted('svm', [30, 30], 'svm.kernel=rbf');
    const predicted = probe.predict(probe.margins(test));
    expect(predicted.every((place, at) => place === samples.labels[test[at]!])).toBe(true);
    expect(() => probe.plain()).toThrow(/no weights/);
  });

  it('standardises for the machine when asked to, on the training rows', async () => {
    const scaled = await fitted('svm', [30, 30], 'svm.isScaled=true');
    const plain = await fitted('svm', [30, 30]);
    const [one, other] = [scaled, plain].map(({ probe, test }) => probe.margins(test));
    expect(one).not.toEqual(other);
    const beside = await fitted('scaled-svm', [30, 30]);
    expect(beside.probe.margins(beside.test)).toEqual(one);
  });

  it('learns an exclusive or by a hidden layer, and by no line', async () => {
    const values = new Float32Array(80 * 2);
    const labels = new Int32Array(80);
    for (let row = 0; row < 80; row += 1) {
      const [right, upper] = [row % 2, Math.floor(row / 2) % 2];
      labels[row] = right ^ upper;
      values.set([(right - 0.5) * 2 + (row % 7) / 30, (upper - 0.5) * 2 - (row % 5) / 20], 2 * row);
    }
    const samples = shareSamples({ rows: { rowCount: 80, columnCount: 2, values }, labels });
    const rows = trainingRows(samples, ['same', 'different'], every(40));
    const test = every(80).subarray(40);
    const rightOf = async (kind: ProbeKind) => {
      const probe = await fitProbe(kind, rows, { settings: settings() });
      const predicted = probe.predict(probe.margins(test));
      return predicted.filter((place, at) => place === labels[test[at]!]).length;
    };
    expect(await rightOf('mlp')).toBe(40);
    expect(await rightOf('svm')).toBeLessThan(32);
  });

  it('stops at the signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const samples = await readSamples(memoryStore(), 0);
    const rows = trainingRows(samples, ['normal', 'harmful'], every(80));
    const given = { settings: settings(), signal };
    await expect(fitProbe('mlp', rows, given)).rejects.toThrow('enough');
  });

  it('names prompt and state of a value that is not finite', async () => {
    const store = memoryStore();
    const values = await store.readState(1);
    values[3 * store.width + 2] = Number.POSITIVE_INFINITY;
    const broken = { ...store, readState: async () => values };
    await expect(readSamples(broken, 1)).rejects.toThrow(/normal\/3, state 1: a value is Infinity/);
  });
});
