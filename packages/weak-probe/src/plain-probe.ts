/**
 * A fitted probe as plain data, and what it says of a state: no tensors, no file system.
 */

/** One linear score for two classes (it speaks for the second), else one a class or a pair. */
export interface LinearLayer {
  readonly form: 'linear';
  /** `[O, D]`. */
  readonly weights: ArrayLike<number>;
  /** `[O]`. */
  readonly intercepts: ArrayLike<number>;
  /** Whether scores are of pairs of classes, each with a vote: (0, 1), (0, 2) .. (1, 2) .. */
  readonly isVote: boolean;
}

/** A hidden layer of rectified units. */
export interface HiddenLayer {
  readonly form: 'mlp';
  /** `[H, D]`. */
  readonly hiddenWeights: ArrayLike<number>;
  /** `[H]`. */
  readonly hiddenBiases: ArrayLike<number>;
  /** `[O, H]`. */
  readonly outputWeights: ArrayLike<number>;
  /** `[O]`. */
  readonly outputBiases: ArrayLike<number>;
}

/** What scores a state. A scaler of the features is worked into the weights. */
export type ProbeLayer = HiddenLayer | LinearLayer;

/** A probe of states of width D. */
export interface PlainProbe {
  readonly kind: string;
  readonly classes: readonly string[];
  /** D. */
  readonly width: number;
  readonly layer: ProbeLayer;
}

/**
 * Scores of one state: one for two classes, above 0 for the second; else one a class, or a pair.
 *
 * @param values - D numbers, or several states in turn.
 * @param at - the place of its first number; default 0.
 */
export function scoreState({ layer, width }: PlainProbe, values: ArrayLike<number>, at = 0) {
  if (layer.form === 'linear') {
    return affine(layer.weights, layer.intercepts, { values, at, width });
  }
  const inputs = { values, at, width };
  const hidden = affine(layer.hiddenWeights, layer.hiddenBiases, inputs).map((x) => Math.max(0, x));
  const units = { values: hidden, at: 0, width: hidden.length };
  return affine(layer.outputWeights, layer.outputBiases, units);
}

interface Inputs {
  readonly values: ArrayLike<number>;
  readonly at: number;
  readonly width: number;
}

function affine(
  weights: ArrayLike<number>,
  biases: ArrayLike<number>,
  { values, at, width }: Inputs,
): Float64Array {
  const out = new Float64Array(biases.length);
  for (let o = 0; o < out.length; o += 1) {
    let sum = biases[o]!;
    for (let d = 0; d < width; d += 1) sum += weights[o * width + d]! * values[at + d]!;
    out[o] = sum;
  }
  return out;
}

/** The place of the class that scores speak for. */
export function classOfScores({ classes, layer }: PlainProbe, scores: ArrayLike<number>): number {
  if (classes.length === 2) return scores[0]! > 0 ? 1 : 0;
  const isVote = layer.form === 'linear' && layer.isVote;
  const votes = isVote ? votesOf(scores, classes.length) : scores;
  let best = 0;
  for (let place = 1; place < classes.length; place += 1) {
    if (votes[place]! > votes[best]!) best = place;
  }
  return best;
}

function votesOf(scores: ArrayLike<number>, classCount: number): number[] {
  const votes = Array.from({ length: classCount }, () => 0);
  let pair = 0;
  for (let first = 0; first < classCount; first += 1) {
    for (let second = first + 1; second < classCount; second += 1) {
      votes[scores[pair]! < 0 ? first : second]! += 1;
      pair += 1;
    }
  }
  return votes;
}
