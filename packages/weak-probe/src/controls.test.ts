import { describe, expect, it } from 'vitest';
import { strongestControl, textBaselines, textControls } from './controls.js';
import { makeSplits } from './split.js';

const split = { testShare: 0.3, seed: 1, isStratified: true, folds: 0, repeats: 1 };

function baselines(texts: readonly string[], labels: number[], classes = ['normal', 'harmful']) {
  const splits = makeSplits({ labels, classes }, split);
  const rowCount = splits[0]!.test.length;
  const found = textBaselines({ texts, labels, classes }, splits, { rowCount });
  return Object.fromEntries(found.map((one) => [one.control, one]));
}

const halves = (n: number) => Array.from({ length: n }, (_, row) => (row < n / 2 ? 0 : 1));

describe('textBaselines', () => {
  it('find what tells the classes apart, and nothing else', () => {
    const labels = halves(60);
    const words = ['alpha', 'beta', 'gamma', 'delta', 'omega'];
    const length = labels.map((label, row) => 'x'.repeat(5 + label * 10 + (row % 4)));
    expect(baselines(length, labels)['length']!.accuracy).toBe(1);
    const swapped = labels.map((label) => 1 - label);
    expect(baselines(length, swapped)['length']!.accuracy).toBe(1);
    const firstWord = labels.map((label, row) => `${label ? 'build' : 'paint'} ${words[row % 5]}`);
    const first = baselines(firstWord, labels);
    expect(first['first-word']!.accuracy).toBe(1);
    expect(first['naive-bayes']!.accuracy).toBe(1);
    expect(first['word-svm']!.auroc).toBe(1);
    expect(first['length']!.accuracy).toBeLessThan(0.7);
    const mark = labels.map((label, row) => `${words[row % 5]}${label ? '!' : '.'}`);
    expect(baselines(mark, labels)['last-character']!.accuracy).toBe(1);
    expect(baselines(mark, labels)['naive-bayes']!.accuracy).toBeLessThan(0.8);
  });

  it('have the share of the largest class as their floor', () => {
    const labels = Array.from({ length: 40 }, (_, row) => (row % 4 === 0 ? 1 : 0));
    const found = baselines(
      labels.map((_, row) => `text ${row}`),
      labels,
    );
    expect(found['majority']!.accuracy).toBe(0.75);
    expect(found['majority']!.balancedAccuracy).toBe(0.5);
  });

  it('take three classes, and texts without words', () => {
    const labels = Array.from({ length: 60 }, (_, row) => row % 3);
    const verbs = ['cook', 'mend', 'sing'];
    const texts = labels.map((label) => `${verbs[label]} it${'.'.repeat(1 + 6 * label)}`);
    const found = baselines(texts, labels, ['a', 'b', 'c']);
    for (const control of textControls) {
      const expected = control === 'majority' || control === 'last-character' ? 1 / 3 : 1;
      expect(found[control]!.accuracy, control).toBeCloseTo(expected, 6);
      expect(found[control]!.auroc).toBeNull();
    }
    const silent = baselines(
      halves(20).map(() => '!'),
      halves(20),
    );
    expect(silent['naive-bayes']!.accuracy).toBe(0.5);
  });

  it('have a strongest one, the simplest of equal ones', () => {
    const labels = halves(60);
    const texts = labels.map((label) => (label ? 'build' : 'paint'));
    const strongest = strongestControl(Object.values(baselines(texts, labels)));
    expect(strongest).toMatchObject({ control: 'last-character', accuracy: 1 });
    expect(strongestControl([])).toBeNull();
  });
});
