/**
 * What predictions of a probe are worth: figures with their intervals.
 */
import { auroc, type Interval, precisionRecallF1, wilson } from '@lab/metrics';

/** Precision, recall and F1 of a class or an average of classes; 0 where a divisor is 0. */
export interface ClassScore {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Figures of predictions, all of them 0..1. */
export interface PredictionScores {
  readonly accuracy: number;
  /** 95 %, Wilson; of several splits over the same rows it counts each row once. */
  readonly interval: Interval;
  /** Mean recall of the classes. */
  readonly balancedAccuracy: number;
  readonly macro: ClassScore;
  /** Mean over the classes by their number of rows. */
  readonly weighted: ClassScore;
  readonly classes: readonly (ClassScore & { readonly label: string; readonly support: number })[];
  /** Rows by class (rows) and prediction (columns). */
  readonly confusion: readonly (readonly number[])[];
  /** Accuracy of each split. */
  readonly splits: readonly number[];
  /** Sample deviation of those, 0 for one split. */
  readonly deviation: number;
  /** Mean over splits of the area under the ROC curve; null unless there are two classes. */
  readonly auroc: number | null;
}

/** Predictions on the test rows of a split. */
export interface SplitPredictions {
  /** Places of classes, `[M]`. */
  readonly predicted: ArrayLike<number>;
  /** `[M]`. */
  readonly actual: ArrayLike<number>;
  /** Above 0 for the second of two classes, `[M]`; null for other numbers of classes. */
  readonly margins: ArrayLike<number> | null;
}

/**
 * Scores of predictions of one or several splits.
 *
 * @param classes - names in the order of their places.
 * @param options - `rowCount`: different rows that were predicted, for the interval.
 */
export function scorePredictions(
  splits: readonly SplitPredictions[],
  classes: readonly string[],
  { rowCount }: { readonly rowCount: number },
): PredictionScores {
  const predicted = splits.flatMap((split) => Array.from(split.predicted));
  const actual = splits.flatMap((split) => Array.from(split.actual));
  const confusion = classes.map(() => classes.map(() => 0));
  for (const [at, place] of actual.entries()) confusion[place]![predicted[at]!]! += 1;
  const accuracies = splits.map(accuracyOf);
  const accuracy = accuracyOf({ predicted, actual });
  const labels = classes.map((_, place) => place);
  const { classes: each, macro } = precisionRecallF1(predicted, actual, { labels });
  const present = each.filter(({ support }) => support > 0);
  return {
    ...{ accuracy, interval: wilson(accuracy * rowCount, rowCount), macro, confusion },
    balancedAccuracy: averageOf(present.map(({ recall }) => recall)),
    weighted: weightedOf(each),
    classes: each.map(({ precision, recall, f1, support }, place) => ({
      ...{ label: classes[place]!, precision, recall, f1, support },
    })),
    splits: accuracies,
    deviation: deviationOf(accuracies),
    auroc: classes.length === 2 ? meanAuroc(splits) : null,
  };
}

/** Share of predictions that are right. */
export function accuracyOf({
  predicted,
  actual,
}: Pick<SplitPredictions, 'actual' | 'predicted'>): number {
  let right = 0;
  for (let at = 0; at < actual.length; at += 1) right += predicted[at] === actual[at] ? 1 : 0;
  return right / actual.length;
}

const averageOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / (values.length || 1);

function deviationOf(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = averageOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

function weightedOf(classes: readonly (ClassScore & { readonly support: number })[]): ClassScore {
  const total = classes.reduce((sum, { support }) => sum + support, 0) || 1;
  const average = (key: keyof ClassScore) =>
    classes.reduce((sum, scores) => sum + scores[key] * scores.support, 0) / total;
  return { precision: average('precision'), recall: average('recall'), f1: average('f1') };
}

/** Splits whose test rows are of one class have no ROC curve and are left out. */
function meanAuroc(splits: readonly SplitPredictions[]): number | null {
  const areas = splits.flatMap(({ margins, actual }) => {
    const labels = Array.from(actual);
    const isWhole = labels.includes(0) && labels.includes(1);
    return margins === null || !isWhole ? [] : [auroc(margins, labels)];
  });
  return areas.length === 0 ? null : averageOf(areas);
}
