/**
 * Which rows a probe learns from, and which it is measured on.
 */
import { createMersenneTwister, createRandom, DataError } from '@lab/core';
import type { Config } from './config.js';

/** One division of the rows. */
export interface Split {
  /** E.g. `split 1 of 3` or `fold 2 of 5`. */
  readonly name: string;
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/** Rows to be divided; see {@link makeSplits}. */
export interface SplitRows {
  /** Class of each row as its place in `classes`, `[N]`. */
  readonly labels: ArrayLike<number>;
  readonly classes: readonly string[];
  /**
   * What each row belongs to, `[N]`: rows of one group and class stay together. Default each row
   * by itself.
   */
  readonly groups?: readonly (number | string)[] | undefined;
}

/** How rows are divided. */
export type SplitSettings = Config['split'] & Pick<Config, 'seed'>;

/**
 * A random division that is the same as that of `train_test_split` of scikit-learn, not
 * stratified: the released code's.
 *
 * `n_test = ceil(share N)`; the test rows are the first of a permutation by MT19937, the others
 * are the training rows. Source: LLM-IHS-Explanation, weak_classifier.
 *
 * @param rowCount - N.
 * @returns indices in the order drawn.
 *
 * @example
 * Array.from(officialSplit(10, { testShare: 0.3, seed: 42 }).test); // => [8, 1, 5]
 */
export function officialSplit(
  rowCount: number,
  { testShare, seed }: Pick<SplitSettings, 'seed' | 'testShare'>,
): Pick<Split, 'test' | 'train'> {
  const order = createMersenneTwister(seed).permutation(rowCount);
  const testCount = Math.ceil(testShare * rowCount);
  return { test: order.slice(0, testCount), train: order.slice(testCount) };
}

/**
 * Divisions of rows: one, several with seeds of their own, or the folds of a cross-validation.
 *
 * Stratified, each class is divided by itself, so that it has its share in both parts; else as
 * {@link officialSplit}, repeat r with seed + r.
 *
 * @throws {DataError} when there is one class only, a class is missing from a training set, or it
 *   has fewer groups than there are folds.
 */
export function makeSplits(rows: SplitRows, settings: SplitSettings): Split[] {
  const units = unitsOf(rows);
  assertCounts(rows.classes, units, settings.folds);
  const splits: Split[] = [];
  for (let repeat = 0; repeat < settings.repeats; repeat += 1) {
    const divisions =
      settings.folds > 0 ? foldsOf(units, settings, repeat) : [divide(units, settings, repeat)];
    for (const [fold, { train, test }] of divisions.entries()) {
      const rowsOf = (indices: ArrayLike<number>) =>
        Int32Array.from(Array.from(indices).flatMap((unit) => units[unit]!.rows));
      const name = nameOf(settings, repeat, fold);
      splits.push({ name, train: rowsOf(train), test: rowsOf(test) });
    }
  }
  for (const split of splits) assertClasses(rows, split);
  return splits;
}

/** Rows that stay together. */
interface Unit {
  readonly label: number;
  readonly rows: number[];
}

function unitsOf({ labels, groups }: SplitRows): Unit[] {
  const units = new Map<number | string, Unit>();
  for (let row = 0; row < labels.length; row += 1) {
    const key = groups === undefined ? row : `${labels[row]} ${groups[row]}`;
    const unit = units.get(key) ?? { label: labels[row]!, rows: [] };
    unit.rows.push(row);
    units.set(key, unit);
  }
  return [...units.values()];
}

function assertCounts(classes: readonly string[], units: readonly Unit[], folds: number): void {
  if (classes.length < 2) {
    throw new DataError(`weak-probe/split: there is one class only (${classes.join()}).`, {
      help: 'collect prompts of two classes at least.',
    });
  }
  const counts = classes.map((_, place) => ofClass(units, place).length);
  const least = Math.min(...counts);
  const name = classes[counts.indexOf(least)];
  if (least < 2) {
    throw new DataError(`weak-probe/split: class ${name} has ${least} different prompts.`, {
      help: 'give each class more prompts; with fewer than ten a probe says little.',
    });
  }
  if (folds === 1 || least < folds) {
    throw new DataError(`weak-probe/split: ${folds} folds; class ${name} has ${least} prompts.`, {
      help: `use 2 to ${least} folds (split.folds), or 0 for one split.`,
    });
  }
}

function assertClasses({ labels, classes }: SplitRows, { name, train }: Split): void {
  const seen = new Set(Array.from(train, (row) => labels[row]!));
  const missing = classes.findIndex((_, place) => !seen.has(place));
  if (missing < 0) return;
  throw new DataError(`weak-probe/split: ${name} has no training row of ${classes[missing]}.`, {
    help: 'stratify (split.isStratified=true), or give more prompts of that class.',
  });
}

function nameOf({ folds, repeats }: SplitSettings, repeat: number, fold: number): string {
  if (folds === 0) return `split ${repeat + 1} of ${repeats}`;
  const round = repeats > 1 ? `, repeat ${repeat + 1} of ${repeats}` : '';
  return `fold ${fold + 1} of ${folds}${round}`;
}

const ofClass = (units: readonly Unit[], label: number): number[] =>
  units.flatMap((unit, index) => (unit.label === label ? [index] : []));

/** The units of each class in a random order of their own. */
function shuffledClasses(units: readonly Unit[], seed: number, name: string): number[][] {
  const labels = [...new Set(units.map(({ label }) => label))].sort((a, b) => a - b);
  return labels.map((label) =>
    createRandom(seed).fork(`${name}/${label}`).shuffle(ofClass(units, label)),
  );
}

interface Division {
  readonly train: ArrayLike<number>;
  readonly test: ArrayLike<number>;
}

function divide(units: readonly Unit[], settings: SplitSettings, repeat: number): Division {
  const { isStratified, testShare, seed } = settings;
  if (!isStratified) return officialSplit(units.length, { testShare, seed: seed + repeat });
  const parts = shuffledClasses(units, seed, `split/${repeat}`).map((own) => {
    const count = Math.min(own.length - 1, Math.max(1, Math.round(testShare * own.length)));
    return { test: own.slice(0, count), train: own.slice(count) };
  });
  return {
    train: parts.flatMap(({ train }) => train),
    test: parts.flatMap(({ test }) => test),
  };
}

/** Units dealt out to folds one by one; each class goes on where the last one ended. */
function foldsOf(units: readonly Unit[], settings: SplitSettings, repeat: number): Division[] {
  const { folds, isStratified, seed } = settings;
  const order = isStratified
    ? shuffledClasses(units, seed, `folds/${repeat}`).flat()
    : Array.from(createMersenneTwister(seed + repeat).permutation(units.length));
  return Array.from({ length: folds }, (_, fold) => ({
    train: order.filter((__, at) => at % folds !== fold),
    test: order.filter((__, at) => at % folds === fold),
  }));
}

/** Test rows of a split whose text occurs among its training rows as well. */
export function leakedCount({ train, test }: Split, texts: readonly (number | string)[]): number {
  const known = new Set(Array.from(train, (row) => texts[row]!));
  return test.filter((row) => known.has(texts[row]!)).length;
}
