import { describe, expect, it } from 'vitest';
import { leakedCount, makeSplits, officialSplit, type SplitSettings } from './split.js';

const usual: SplitSettings = {
  ...{ testShare: 0.3, seed: 42, isStratified: true, folds: 0, repeats: 1 },
};
const classes = ['normal', 'harmful'];
const labelled = (normal: number, harmful: number): number[] => [
  ...Array.from({ length: normal }, () => 0),
  ...Array.from({ length: harmful }, () => 1),
];
const sorted = (rows: Iterable<number>): number[] => [...rows].sort((a, b) => a - b);

describe('officialSplit', () => {
  // numpy.random.RandomState(42).permutation(n), scikit-learn's train_test_split
  it.each([
    [10, 3, [8, 1, 5], [0, 7, 2, 9, 4, 3, 6]],
    [202, 61, [95, 15, 30, 159, 186, 115, 69, 172, 161, 45], null],
    [1000, 300, [521, 737, 740, 660, 411, 678, 626, 513, 859, 136], null],
    [1466, 440, [1191, 184, 1219, 67, 220, 494, 430, 240, 218, 49], null],
  ])('of %i rows', (n, testCount, first, rest) => {
    const { test, train } = officialSplit(n, { testShare: 0.3, seed: 42 });
    expect([test.length, train.length]).toEqual([testCount, n - testCount]);
    expect(Array.from(test.subarray(0, first.length))).toEqual(first);
    if (rest !== null) expect(Array.from(train)).toEqual(rest);
    expect(sorted([...test, ...train])).toEqual(Array.from({ length: n }, (_, row) => row));
  });
});

describe('makeSplits', () => {
  it('gives each class its share of both parts', () => {
    const labels = labelled(40, 20);
    const [split] = makeSplits({ labels, classes }, usual);
    const share = (rows: Int32Array) => rows.filter((row) => labels[row] === 1).length;
    expect([split!.test.length, share(split!.test)]).toEqual([18, 6]);
    expect(sorted([...split!.test, ...split!.train])).toEqual(sorted(labels.keys()));
    expect(makeSplits({ labels, classes }, usual)).toEqual([split]);
    expect(makeSplits({ labels, classes }, { ...usual, seed: 43 })).not.toEqual([split]);
  });

  it('is the released division where it does not stratify', () => {
    const rows = { labels: labelled(5, 5), classes };
    const [first, second] = makeSplits(rows, { ...usual, isStratified: false, repeats: 2 });
    expect(Array.from(first!.test)).toEqual([8, 1, 5]);
    expect(Array.from(first!.train)).toEqual([0, 7, 2, 9, 4, 3, 6]);
    expect(second!.name).toBe('split 2 of 2');
    expect(second!.test).toEqual(officialSplit(10, { testShare: 0.3, seed: 43 }).test);
  });

  it.each([true, false])('makes folds that test each row once, stratified: %s', (isStratified) => {
    const labels = labelled(11, 12);
    const splits = makeSplits({ labels, classes }, { ...usual, isStratified, folds: 4 });
    expect(splits.map(({ name }) => name)).toEqual([1, 2, 3, 4].map((fold) => `fold ${fold} of 4`));
    expect(sorted(splits.flatMap(({ test }) => Array.from(test)))).toEqual(sorted(labels.keys()));
    for (const { test, train } of splits) {
      expect(test.length + train.length).toBe(23);
      const harmful = test.filter((row) => labels[row] === 1).length;
      if (isStratified) expect(harmful).toBe(3);
    }
  });

  it('keeps rows of one text together, and counts those that are not', () => {
    const labels = labelled(20, 20);
    const groups = labels.map((_, row) => Math.floor(row / 2));
    for (const { test, train } of makeSplits(
      { labels, classes, groups },
      { ...usual, repeats: 3 },
    )) {
      const here = new Set(Array.from(test, (row) => groups[row]));
      expect(Array.from(train).some((row) => here.has(groups[row]!))).toBe(false);
      expect(leakedCount({ name: '', test, train }, groups)).toBe(0);
    }
    const torn = { name: '', train: Int32Array.of(0, 2), test: Int32Array.of(1, 5) };
    expect(leakedCount(torn, groups)).toBe(1);
  });

  it('refuses what cannot be divided', () => {
    const one = { labels: [0, 0, 0], classes: ['normal'] };
    expect(() => makeSplits(one, usual)).toThrow(/one class only/);
    const few = { labels: labelled(9, 1), classes };
    expect(() => makeSplits(few, usual)).toThrow(/harmful has 1/);
    const rows = { labels: labelled(9, 4), classes };
    expect(() => makeSplits(rows, { ...usual, folds: 5 })).toThrow(/5 folds; class harmful has 4/);
    expect(() => makeSplits(rows, { ...usual, folds: 1 })).toThrow(/1 folds/);
    const rare = { labels: labelled(40, 2), classes };
    const wide = { ...usual, isStratified: false, testShare: 0.95 };
    expect(() => makeSplits(rare, wide)).toThrow(/no training row of harmful.*/);
  });
});
