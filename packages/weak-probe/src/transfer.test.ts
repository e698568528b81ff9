import { describe, expect, it } from 'vitest';
import { memoryStore, settings } from './__fixtures__/memory-store.js';
import { transferProbes } from './transfer.js';

const config = settings('probe.kinds=["svm","mass-mean"]');

describe('transferProbes', () => {
  it('measures probes on another set, beside what that set itself could teach', async () => {
    const from = memoryStore({ counts: [60, 60], distances: [0, 6] });
    const to = memoryStore({ counts: [50, 70], distances: [0, 6], seed: 2, texts: 'other' });
    const points = await transferProbes({ from, to, config });
    expect(points.map(({ state, probe }) => `${state} ${probe}`)).toEqual([
      ...['0 svm', '0 mass-mean', '1 svm', '1 mass-mean'],
    ]);
    const [none, , clear, mean] = points;
    expect(none!.binary!.auroc).toBeLessThan(0.7);
    for (const point of [clear!, mean!]) {
      expect(point).toMatchObject({ rowCount: 120, leftOutCount: 0 });
      expect(point.accuracy).toBeGreaterThan(0.97);
      expect(point.native).toBeGreaterThan(0.97);
      expect(point.within.accuracy).toBeGreaterThan(0.97);
      expect(point.binary!.truePositiveRate).toBeGreaterThan(0.9);
      expect(point.binary!.carriedFalsePositiveRate).toBeLessThan(0.1);
      expect(point.binary!.ece).toBeLessThan(0.1);
      expect(point.directionCosine).toBeGreaterThan(0.8);
    }
    expect(Math.abs(none!.directionCosine!)).toBeLessThan(0.7);
  });

  it('knows the other classes by their names, in any order', async () => {
    const from = memoryStore({ counts: [40, 40], distances: [8] });
    const swapped = memoryStore({ counts: [40, 40], distances: [8], classes: ['unsafe', 'safe'] });
    const classNames = { unsafe: 'harmful', safe: 'normal' };
    const [point] = await transferProbes({ from, to: swapped, config, classNames });
    // The class that lies along feature 0 is the second one there.
    expect(point!.accuracy).toBeLessThan(0.1);
    expect(point!.directionCosine).toBeLessThan(-0.8);
    await expect(transferProbes({ from, to: swapped, config })).rejects.toThrow(/do not match/);
  });

  it('leaves out rows whose texts the probe was fitted on', async () => {
    const shape = { counts: [40, 40], distances: [0], width: 100 };
    const from = memoryStore(shape);
    const [same] = await transferProbes({ from, to: from, config });
    // States say nothing of the classes: what is seen is known by heart, what is not by chance.
    expect(same).toMatchObject({ rowCount: 24, leftOutCount: 56 });
    expect(same!.accuracy).toBe(same!.within.accuracy);
    expect(same!.accuracy).toBeLessThan(0.8);
    const more = memoryStore({ ...shape, counts: [50, 50], seed: 4 });
    const [point] = await transferProbes({ from, to: more, config });
    expect(point).toMatchObject({ rowCount: 44, leftOutCount: 56 });
  });

  it('needs a row that is not known', async () => {
    const from = memoryStore({ counts: [40, 40], distances: [8] });
    const { promptSha256 } = from.rows[0]!;
    const alike = { ...from, rows: from.rows.map((row) => ({ ...row, promptSha256 })) };
    // Equal texts would stay on one side of a grouped split.
    const plain = settings('data.deduplicate=false', 'probe.kinds=["svm"]');
    const found = transferProbes({ from: alike, to: alike, config: plain });
    await expect(found).rejects.toThrow(/texts of all 80 rows/);
  });

  it('takes three classes without a curve', async () => {
    const from = memoryStore({ counts: [30, 30, 30], distances: [9] });
    const to = memoryStore({ counts: [20, 20, 20], distances: [9], seed: 3, texts: 'other' });
    const points = await transferProbes({ from, to, config: settings('probe.kinds=["svm"]') });
    expect(points[0]!.accuracy).toBeGreaterThan(0.95);
    expect([points[0]!.binary, points[0]!.directionCosine]).toEqual([null, null]);
  });

  it('refuses states of another architecture', async () => {
    const [from, to] = [memoryStore(), memoryStore({ width: 5 })];
    await expect(transferProbes({ from, to, config })).rejects.toThrow(/width 12 and 3 .*width 5/);
  });
});
