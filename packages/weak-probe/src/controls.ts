/**
 * What can be told from the texts alone: baselines that a probe must beat to say anything.
 */
import {
  fitBagOfWords,
  fitNaiveBayes,
  fitSvmOnGram,
  dualScores,
  naiveBayesScores,
  sparseProducts,
  svmPredict,
  wordsOf,
} from '@lab/metrics';
import { type PredictionScores, scorePredictions, type SplitPredictions } from './probe-scores.js';
import type { Split } from './split.js';

/** What tells the classes apart without a model. */
export type TextControl =
  | 'first-word'
  | 'last-character'
  | 'length'
  | 'majority'
  | 'naive-bayes'
  | 'word-svm';

/** All controls, the simplest first. */
export const textControls = [
  ...(['majority', 'length', 'last-character', 'first-word'] as const),
  ...(['naive-bayes', 'word-svm'] as const),
] satisfies readonly TextControl[];

/** A control on the same splits as the probes. */
export interface ControlScores extends PredictionScores {
  readonly control: TextControl;
}

/** Texts and their classes; see {@link textBaselines}. */
export interface LabelledTexts {
  /** As the user gave them, before a format, `[N]`. */
  readonly texts: readonly string[];
  /** Places of classes, `[N]`. */
  readonly labels: ArrayLike<number>;
  readonly classes: readonly string[];
}

/**
 * Baselines on texts: `majority`; `length`, the best thresholds of the number of characters;
 * `last-character` and `first-word`, each with its most frequent class; `naive-bayes` on counts of
 * words; `word-svm`, a linear machine on tf-idf of words and pairs of words.
 *
 * @param splits - those of the probes.
 * @param options - `rowCount`: different rows that the splits test.
 */
export function textBaselines(
  texts: LabelledTexts,
  splits: readonly Split[],
  { rowCount }: { readonly rowCount: number },
): ControlScores[] {
  return textControls.map((control) => {
    const predictions = splits.map((split) => predictTexts(control, texts, split));
    return { control, ...scorePredictions(predictions, texts.classes, { rowCount }) };
  });
}

/** The control with the highest accuracy, the simplest of equal ones. */
export function strongestControl(controls: readonly ControlScores[]): ControlScores | null {
  return controls.reduce<ControlScores | null>(
    (best, next) => (best === null || next.accuracy > best.accuracy ? next : best),
    null,
  );
}

function predictTexts(
  control: TextControl,
  { texts, labels, classes }: LabelledTexts,
  { train, test }: Split,
): SplitPredictions {
  const task: TextTask = {
    trainTexts: Array.from(train, (row) => texts[row]!),
    trainLabels: Int32Array.from(train, (row) => labels[row]!),
    testTexts: Array.from(test, (row) => texts[row]!),
    classCount: classes.length,
  };
  const actual = Int32Array.from(test, (row) => labels[row]!);
  return { actual, ...predictors[control](task) };
}

interface TextTask {
  readonly trainTexts: readonly string[];
  readonly trainLabels: Int32Array;
  readonly testTexts: readonly string[];
  readonly classCount: number;
}

type Predicted = Pick<SplitPredictions, 'margins' | 'predicted'>;

const predictors: Readonly<Record<TextControl, (task: TextTask) => Predicted>> = {
  majority: (task) => byKey(task, () => ''),
  length: byLength,
  'last-character': (task) => byKey(task, (text) => text.trimEnd().slice(-1)),
  'first-word': (task) => byKey(task, (text) => wordsOf(text)[0] ?? ''),
  'naive-bayes': byWordCounts,
  'word-svm': byWordMachine,
};

const placeOfLargest = (values: ArrayLike<number>): number => {
  let best = 0;
  for (let at = 1; at < values.length; at += 1) if (values[at]! > values[best]!) best = at;
  return best;
};

const countsOf = (labels: Iterable<number>, classCount: number): number[] => {
  const counts = Array.from({ length: classCount }, () => 0);
  for (const label of labels) counts[label]! += 1;
  return counts;
};

/** The most frequent class of the training texts with the same key, else of all. */
function byKey(task: TextTask, keyOf: (text: string) => string): Predicted {
  const { trainTexts, trainLabels, testTexts, classCount } = task;
  const all = countsOf(trainLabels, classCount);
  const byKeys = new Map<string, number[]>();
  for (const [at, text] of trainTexts.entries()) {
    const counts = byKeys.get(keyOf(text)) ?? countsOf([], classCount);
    counts[trainLabels[at]!]! += 1;
    byKeys.set(keyOf(text), counts);
  }
  const found = testTexts.map((text) => byKeys.get(keyOf(text)) ?? all);
  const share = (counts: readonly number[]) => counts[1]! / (counts[0]! + counts[1]!) - 0.5;
  return {
    predicted: found.map(placeOfLargest),
    margins: classCount === 2 ? found.map(share) : null,
  };
}

/** Between two classes the threshold with most training texts on its right side; else by tenths. */
function byLength(task: TextTask): Predicted {
  const { trainTexts, trainLabels, testTexts, classCount } = task;
  const lengths = trainTexts.map(({ length }) => length);
  if (classCount > 2) {
    const sorted = lengths.toSorted((a, b) => a - b);
    const tenth = (text: string) => {
      const below = sorted.findIndex((length) => length >= text.length);
      return String(Math.floor((10 * (below < 0 ? sorted.length - 1 : below)) / sorted.length));
    };
    return byKey(task, tenth);
  }
  const order = [...lengths.keys()].sort((a, b) => lengths[a]! - lengths[b]!);
  const [, ones] = countsOf(trainLabels, 2);
  // `right`: texts that a rule "longer is the second class" gets right with the cut behind `at`.
  let best = { right: ones!, cut: Number.NEGATIVE_INFINITY, sign: 1 };
  let right = ones!;
  for (const [at, row] of order.entries()) {
    right += trainLabels[row] === 0 ? 1 : -1;
    const next = order[at + 1];
    if (next !== undefined && lengths[next] === lengths[row]) continue;
    const cut =
      next === undefined ? Number.POSITIVE_INFINITY : (lengths[row]! + lengths[next]!) / 2;
    if (right > best.right) best = { right, cut, sign: 1 };
    if (order.length - right > best.right) best = { right: order.length - right, cut, sign: -1 };
  }
  const cut = Math.max(-1e9, Math.min(1e9, best.cut));
  const margins = testTexts.map(({ length }) => best.sign * (length - cut));
  return { predicted: margins.map((margin) => (margin > 0 ? 1 : 0)), margins };
}

function byWordCounts(task: TextTask): Predicted {
  const { trainTexts, trainLabels, testTexts, classCount } = task;
  if (trainTexts.every((text) => wordsOf(text).length === 0)) return byKey(task, () => '');
  const bag = fitBagOfWords(trainTexts);
  const model = fitNaiveBayes(bag.counts(trainTexts), trainLabels);
  const scores = naiveBayesScores(model, bag.counts(testTexts));
  const rows = testTexts.map((_, row) => scores.subarray(row * classCount, (row + 1) * classCount));
  return {
    predicted: rows.map((row) => model.classes[placeOfLargest(row)]!),
    margins: classCount === 2 ? rows.map((row) => row[1]! - row[0]!) : null,
  };
}

function byWordMachine(task: TextTask): Predicted {
  const { trainTexts, trainLabels, testTexts, classCount } = task;
  if (trainTexts.every((text) => wordsOf(text).length === 0)) return byKey(task, () => '');
  const bag = fitBagOfWords(trainTexts, { mostWords: 2 });
  const rows = bag.tfIdf(trainTexts);
  const model = fitSvmOnGram(sparseProducts(rows, rows), trainLabels);
  const scores = dualScores(model, sparseProducts(bag.tfIdf(testTexts), rows));
  return { predicted: svmPredict(model, scores), margins: classCount === 2 ? scores : null };
}
