import { ConfigError, createMersenneTwister, type MersenneTwister } from '@lab/core';
import { checkFeatures, type FeatureMatrix, indexClasses } from './feature-matrix.js';
import { type Adam, adamStep, createAdam } from './mlp-adam.js';
import {
  batchGradients,
  hiddenLayer,
  type MlpParameters,
  outputLayer,
  type TurnedRows,
  turnRows,
} from './mlp-network.js';

/** Settings of {@link fitMlp}. */
export interface MlpOptions {
  /** Hidden units, H; default 100. */
  readonly hiddenCount?: number;
  /** Of Adam; default .01. */
  readonly learningRate?: number;
  /** Weight of the squared weights (not of the biases); default .01. */
  readonly l2?: number;
  /** Rows per step; default 200, at most all. */
  readonly batchSize?: number;
  /** Epochs at most; default 300. */
  readonly maxEpochs?: number;
  /** Epochs without an improvement by `tolerance`, more than which end it; default 10. */
  readonly patience?: number;
  /** Least improvement of the loss, nats; default 1e-4. */
  readonly tolerance?: number;
  /** Of NumPy's generator, 0 .. 2^32 - 1; default 42. */
  readonly seed?: number;
}

/** An epoch that is done. */
export interface MlpEpoch {
  /** From 1. */
  readonly epoch: number;
  /** Mean over its batches, nats. */
  readonly loss: number;
}

/** A perceptron with one hidden layer, as plain data. */
export interface MlpModel extends MlpParameters {
  /** Labels, ascending. With two of them there is one output: the logit of the second. */
  readonly classes: Int32Array;
  /** Mean loss of each epoch, nats. */
  readonly losses: readonly number[];
  /** Whether it ended because the loss improved no more. */
  readonly converged: boolean;
}

/**
 * A perceptron with one hidden layer of rectified units, trained by Adam on minibatches.
 *
 * `loss = mean log-loss + l2 |W|^2 / (2 batch)`; two classes have one logistic output, more a
 * softmax. What `MLPClassifier` of scikit-learn fits, from the same seed by the same draws: losses
 * and weights agree up to rounding. Source: Kingma & Ba, "Adam" (2015).
 *
 * @param rows - `[N, F]`, finite; standardise them before.
 * @param labels - a whole number per row, `[N]`.
 * @throws {DataError} for values that are not finite, or rows of one class.
 * @throws {ConfigError} when a setting is out of range.
 */
export function fitMlp(
  rows: FeatureMatrix,
  labels: ArrayLike<number>,
  options: MlpOptions = {},
): MlpModel {
  const epochs = mlpEpochs(rows, labels, options);
  for (let next = epochs.next(); ; next = epochs.next()) if (next.done === true) return next.value;
}

/**
 * As {@link fitMlp}, an epoch at a time, for callers that show progress or may stop in between.
 *
 * @returns the model, when the last epoch is done.
 */
export function* mlpEpochs(
  rows: FeatureMatrix,
  labels: ArrayLike<number>,
  options: MlpOptions = {},
): Generator<MlpEpoch, MlpModel> {
  checkFeatures('metrics/fitMlp', rows);
  const { classes, places } = indexClasses('metrics/fitMlp', labels, rows.rowCount);
  const settings = settingsOf(options, rows.rowCount);
  const random = createMersenneTwister(settings.seed);
  const outputs = classes.length === 2 ? 1 : classes.length;
  const parameters = drawParameters([rows.columnCount, settings.hiddenCount, outputs], random);
  const training: Training = {
    ...{ turned: turnRows(rows), places, parameters, adam: createAdam(), settings },
    memory: new Float64Array(parameters.hiddenWeights.length),
  };
  const losses: number[] = [];
  let order = Int32Array.from(places.keys());
  let best = Number.POSITIVE_INFINITY;
  let idle = 0;
  while (losses.length < settings.maxEpochs && idle <= settings.patience) {
    const held = order;
    order = random.permutation(rows.rowCount).map((at) => held[at]!);
    const loss = runEpoch(training, order);
    losses.push(loss);
    idle = loss > best - settings.tolerance ? idle + 1 : 0;
    best = Math.min(best, loss);
    yield { epoch: losses.length, loss };
  }
  return { classes, ...parameters, losses, converged: idle > settings.patience };
}

function settingsOf(options: MlpOptions, rowCount: number): Required<MlpOptions> {
  const { batchSize = 200, hiddenCount = 100, maxEpochs = 300, patience = 10 } = options;
  const { learningRate = 0.01, l2 = 0.01, tolerance = 1e-4, seed = 42 } = options;
  for (const [name, value] of Object.entries({ hiddenCount, batchSize, maxEpochs })) {
    if (Number.isInteger(value) && value > 0) continue;
    throw new ConfigError(`metrics/fitMlp: ${name} is ${value}, allowed are 1, 2, ...`);
  }
  if (!(learningRate > 0 && l2 >= 0)) {
    throw new ConfigError(`metrics/fitMlp: learning rate ${learningRate}, l2 ${l2}.`, {
      help: 'the learning rate is above 0, l2 is 0 or above.',
    });
  }
  return {
    ...{ hiddenCount, learningRate, l2, maxEpochs, patience, tolerance, seed },
    batchSize: Math.min(batchSize, rowCount),
  };
}

/** Weights and biases, uniform in +-sqrt(6 / (ins + outs)), in the order that NumPy draws them. */
function drawParameters(
  [inputs, hidden, outputs]: readonly [number, number, number],
  random: MersenneTwister,
): MlpParameters {
  const layer = (ins: number, outs: number) => {
    const bound = Math.sqrt(6 / (ins + outs));
    const draw = () => -bound + 2 * bound * random.uniform();
    const weights = new Float64Array(ins * outs);
    for (let i = 0; i < ins; i += 1) {
      for (let o = 0; o < outs; o += 1) weights[o * ins + i] = draw();
    }
    return { weights, biases: Float64Array.from({ length: outs }, draw) };
  };
  const first = layer(inputs, hidden);
  const second = layer(hidden, outputs);
  return {
    ...{ hiddenWeights: first.weights, hiddenBiases: first.biases },
    ...{ outputWeights: second.weights, outputBiases: second.biases },
  };
}

interface Training {
  readonly turned: TurnedRows;
  readonly places: Int32Array;
  readonly parameters: MlpParameters;
  readonly adam: Adam;
  readonly settings: Required<MlpOptions>;
  /** For the gradient of the hidden weights. */
  readonly memory: Float64Array;
}

/** One pass over all rows in this order: the mean loss. */
function runEpoch(training: Training, order: Int32Array): number {
  const { turned, places, parameters, adam, settings, memory } = training;
  const { batchSize, l2, learningRate } = settings;
  let sum = 0;
  for (let start = 0; start < order.length; start += batchSize) {
    const indices = order.subarray(start, start + batchSize);
    const batch = { indices, places: Int32Array.from(indices, (row) => places[row]!), memory };
    const { loss, gradients } = batchGradients(parameters, turned, batch);
    const decay = l2 / indices.length;
    const squares =
      addDecay(gradients.hiddenWeights, parameters.hiddenWeights, decay) +
      addDecay(gradients.outputWeights, parameters.outputWeights, decay);
    sum += loss + (l2 / 2) * squares;
    adamStep(adam, { parameters, gradients, learningRate });
  }
  return sum / order.length;
}

/** Adds `share` of the weights to their gradient, and gives their squares. */
function addDecay(gradient: Float64Array, weights: Float64Array, share: number): number {
  let squares = 0;
  for (let at = 0; at < gradient.length; at += 1) {
    const weight = weights[at]!;
    gradient[at]! += share * weight;
    squares += weight * weight;
  }
  return squares;
}

/**
 * Logits of samples: of the second class where there are two, else of each class.
 *
 * @param rows - standardised as those of the fit, `[M, F]`.
 * @returns `[M, O]`; `logitProbabilities` makes them probabilities, `predictClasses` labels.
 * @throws {ConfigError} when the rows are of another width.
 */
export function mlpScores(model: MlpParameters, rows: FeatureMatrix): Float64Array {
  checkFeatures('metrics/mlpScores', rows);
  const inputs = model.hiddenWeights.length / model.hiddenBiases.length;
  if (rows.columnCount !== inputs) {
    throw new ConfigError(
      `metrics/mlpScores: rows are ${rows.columnCount} wide, the model takes ${inputs}.`,
    );
  }
  return outputLayer(model, hiddenLayer(model, rows));
}
