/**
 * How likely a proposed pair is to be right.
 *
 * A logistic regression on what the similarities say about a pair, fitted on pairs whose truth is
 * known and that the model was not trained on.
 */
import { auroc, expectedCalibrationError, fitLogistic, type ReliabilityBin } from '@lab/metrics';

/** What is known of a proposed pair before its confidence. */
export interface PairEvidence {
  /** CSLS score of the pair. */
  readonly score: number;
  /** Score minus that of the source's second best candidate. */
  readonly margin: number;
  /** Score minus that of the target's best other source; negative when that one fits better. */
  readonly backwardMargin: number;
  /** Whether each is the other's best candidate. */
  readonly mutual: boolean;
}

/** A fitted confidence, plain data that can be stored beside a model. */
export interface ConfidenceModel {
  /** Coefficients of score, margin, backward margin and mutuality. */
  readonly coefficients: readonly number[];
  readonly intercept: number;
  /** Pairs that it was fitted on. */
  readonly pairs: number;
}

/** Quality of confidences on pairs whose truth is known. */
export interface ConfidenceQuality {
  /** Area under the ROC curve of the confidence. */
  readonly auroc: number;
  /** The same of the margin alone. */
  readonly marginAuroc: number;
  /** Expected calibration error, ten bins of equal width. */
  readonly ece: number;
  /** Bins that hold a pair; the others have no mean. */
  readonly bins: readonly ReliabilityBin[];
  readonly pairs: number;
}

/** Fewest pairs, right and wrong together, that a fit is made on. */
export const MINIMUM_CALIBRATION_PAIRS = 30;

const featuresOf = ({ score, margin, backwardMargin, mutual }: PairEvidence) => [
  score,
  margin,
  backwardMargin,
  mutual ? 1 : 0,
];

/**
 * Confidence fitted on pairs of known truth, or null when there are too few to say anything.
 *
 * @param isRight - truth of each pair.
 */
export function fitConfidence(
  evidence: readonly PairEvidence[],
  isRight: readonly boolean[],
): ConfidenceModel | null {
  if (evidence.length < MINIMUM_CALIBRATION_PAIRS) return null;
  const labels = isRight.map(Number);
  const model = fitLogistic(evidence.map(featuresOf), labels, { l2: 1 });
  return {
    coefficients: [...model.coefficients],
    intercept: model.intercept,
    pairs: evidence.length,
  };
}

/** Probability, 0..1, that the pair is right. */
export function confidenceOf(model: ConfidenceModel, evidence: PairEvidence): number {
  let logit = model.intercept;
  featuresOf(evidence).forEach((value, f) => {
    logit += value * model.coefficients[f]!;
  });
  return 1 / (1 + Math.exp(-logit));
}

/** AUROC and calibration error on pairs that the fit has not seen. */
export function confidenceQuality(
  model: ConfidenceModel,
  evidence: readonly PairEvidence[],
  isRight: readonly boolean[],
): ConfidenceQuality | null {
  if (!isRight.includes(true) || !isRight.includes(false)) return null;
  const confidences = evidence.map((pair) => confidenceOf(model, pair));
  const { ece, bins } = expectedCalibrationError(confidences, isRight, { bins: 10 });
  return {
    auroc: auroc(confidences, isRight),
    marginAuroc: auroc(
      evidence.map(({ margin }) => margin),
      isRight,
    ),
    ece,
    bins: bins.filter(({ count }) => count > 0),
    pairs: evidence.length,
  };
}
