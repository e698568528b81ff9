/**
 * Weak probes: small classifiers of the rows of one state, all behind one interface.
 */
import { setImmediate } from 'node:timers/promises';
import { ConfigError } from '@lab/core';
import {
  type DualLinear,
  dualScores,
  fitLda,
  fitLogisticOnGram,
  fitMassMean,
  fitNearestCentroid,
  fitPrincipalCentroid,
  fitSvmOnGram,
  mlpEpochs,
  type MlpModel,
  mlpScores,
  rbfKernel,
  selectRows,
  subMatrix,
} from '@lab/metrics';
import type { Config } from './config.js';
import { classOfScores, type PlainProbe, type ProbeLayer } from './plain-probe.js';
import { scaleSamples, type ScaledSamples, type SharedSamples } from './probe-input.js';
import { hiddenLayerOf, linearLayer, majorityLayer } from './probe-layers.js';

/** A kind of probe. */
export type ProbeKind = Config['probe']['kinds'][number];

/** All kinds, those of the paper first. */
export const probeKinds = [
  ...(['svm', 'mlp', 'scaled-svm', 'logistic', 'lda'] as const),
  ...(['mass-mean', 'nearest-centroid', 'pca'] as const),
] satisfies readonly ProbeKind[];

/** Settings that probes read. */
export type ProbeSettings = Pick<Config, 'mlp' | 'probe' | 'seed' | 'svm'>;

/** Rows to learn from, with what the probes of a split share. */
export interface TrainingRows {
  readonly samples: SharedSamples;
  /** Names of the classes, in the order of their places. */
  readonly classes: readonly string[];
  readonly train: Int32Array;
  /** The samples in units of the training rows; computed once. */
  scaled(): ScaledSamples;
}

/** A probe that was fitted on some rows of a state. */
export interface Probe {
  readonly kind: ProbeKind;
  readonly classes: readonly string[];
  /** Whether its solver came to rest; true for probes that need none. */
  readonly converged: boolean;
  /** Whether no feature varied, so that it always says the most frequent class. */
  readonly isDegenerate: boolean;
  /**
   * Scores of rows of the state it was fitted at: one for two classes, above 0 for the second;
   * else one a class, or a pair of classes (svm).
   *
   * @param rows - indices among the samples, `[M]`.
   * @returns `[M, O]`.
   */
  margins(rows: Int32Array): Float64Array;
  /** Places of the classes that scores speak for, `[M]`. */
  predict(margins: Float64Array): Int32Array;
  /**
   * The probe as plain data, for states of other prompts, models and for monitors.
   *
   * @throws {ConfigError} for the radial basis kernel, which has no weights.
   */
  plain(): PlainProbe;
  /** Unit vector from the first class to the second, `[D]`; null without one. */
  direction(): Float64Array | null;
}

/** Training rows of a split. */
export function trainingRows(
  samples: SharedSamples,
  classes: readonly string[],
  train: Int32Array,
): TrainingRows {
  let scaled: ScaledSamples | undefined;
  return { samples, classes, train, scaled: () => (scaled ??= scaleSamples(samples, train)) };
}

/** How a probe is fitted. */
export interface FitOptions {
  readonly settings: ProbeSettings;
  /** Steps of the solver of `svm` at most; default as many as it needs, up to 10,000,000. */
  readonly maxIterations?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fits a probe.
 *
 * `svm`: C-SVC, features as collected unless `svm.isScaled`; `scaled-svm`: the same on standardised
 * features, as `mlp` and `logistic` are: early states may be so small that the cost of errors is
 * nothing beside them, and the machine stays at chance; `lda`, `mass-mean`, `nearest-centroid`,
 * `pca`: as collected.
 *
 * @throws {ConfigError} for a kind that takes two classes only.
 * @throws what `signal` was aborted with.
 */
export async function fitProbe(
  kind: ProbeKind,
  input: TrainingRows,
  { settings, maxIterations, signal }: FitOptions,
): Promise<Probe> {
  await setImmediate();
  signal?.throwIfAborted();
  const { samples, train, classes } = input;
  if (samples.isDegenerate) {
    const labels = Int32Array.from(train, (row) => samples.labels[row]!);
    const layer = majorityLayer(labels, classes.length, samples.rows.columnCount);
    return probeOf(kind, input, {
      ...{ converged: true, layer: () => layer, outputs: layer.intercepts.length },
      margins: (rows) => Float64Array.from(Array.from(rows).flatMap(() => layer.intercepts)),
    });
  }
  if (kind === 'mlp') return probeOf(kind, input, await fitPerceptron(input, settings, signal));
  return probeOf(kind, input, fitDual(kind, input, { ...settings, maxIterations }));
}

/** Whether it is the machine, which lets pairs of classes vote. */
const isMachine = (kind: ProbeKind): boolean => kind === 'svm' || kind === 'scaled-svm';

/** What kinds differ in. */
interface Fitted {
  readonly converged: boolean;
  /** Scores a row, O. */
  readonly outputs: number;
  margins(rows: Int32Array): Float64Array;
  layer(): ProbeLayer;
}

function probeOf(kind: ProbeKind, { samples, classes }: TrainingRows, fitted: Fitted): Probe {
  const { converged, outputs } = fitted;
  const width = samples.rows.columnCount;
  const voting = {
    form: 'linear',
    weights: [],
    intercepts: [],
    isVote: isMachine(kind) && !samples.isDegenerate,
  } as const;
  const judge = { kind, classes, width, layer: voting };
  return {
    ...{ kind, classes, converged, isDegenerate: samples.isDegenerate },
    margins: (rows) => fitted.margins(rows),
    predict: (margins) =>
      Int32Array.from({ length: margins.length / outputs }, (_, row) =>
        classOfScores(judge, margins.subarray(row * outputs, (row + 1) * outputs)),
      ),
    plain: () => ({ kind, classes, width, layer: fitted.layer() }),
    direction: () => (samples.isDegenerate ? null : directionOf(kind, fitted)),
  };
}

function directionOf(kind: ProbeKind, { outputs, layer }: Fitted): Float64Array | null {
  if (outputs !== 1 || kind === 'mlp') return null;
  const found = layer();
  if (found.form !== 'linear') return null;
  const weights = Float64Array.from(found.weights);
  const length = Math.sqrt(weights.reduce((sum, weight) => sum + weight * weight, 0));
  return length > 0 ? weights.map((weight) => weight / length) : null;
}

async function fitPerceptron(
  { scaled, samples, train }: TrainingRows,
  { mlp, seed }: ProbeSettings,
  signal: AbortSignal | undefined,
): Promise<Fitted> {
  const { rows, scaler } = scaled();
  const labels = Int32Array.from(train, (row) => samples.labels[row]!);
  const epochs = mlpEpochs(selectRows(rows, train), labels, {
    ...{ hiddenCount: mlp.hiddenUnits, learningRate: mlp.learningRate, l2: mlp.alpha },
    ...{ batchSize: mlp.batchSize, maxEpochs: mlp.maxEpochs, patience: mlp.patience },
    ...{ tolerance: mlp.tolerance, seed },
  });
  const model = await drained(epochs, signal);
  return {
    ...{ converged: model.converged, outputs: model.outputBiases.length },
    margins: (indices) => mlpScores(model, selectRows(rows, indices)),
    layer: () => hiddenLayerOf(model, scaler),
  };
}

/** Takes epochs until the last one; others have their turn in between. */
async function drained(
  epochs: ReturnType<typeof mlpEpochs>,
  signal: AbortSignal | undefined,
): Promise<MlpModel> {
  for (;;) {
    const next = epochs.next();
    if (next.done === true) return next.value;
    await setImmediate();
    signal?.throwIfAborted();
  }
}

type DualSettings = ProbeSettings & Pick<FitOptions, 'maxIterations'>;

/** Probes that need inner products of the training rows alone. */
function fitDual(
  kind: Exclude<ProbeKind, 'mlp'>,
  input: TrainingRows,
  settings: DualSettings,
): Fitted {
  const { train, samples } = input;
  const isScaled =
    kind === 'logistic' || kind === 'scaled-svm' || (kind === 'svm' && settings.svm.isScaled);
  const scaled = isScaled ? input.scaled() : null;
  const { rows, gram } = scaled ?? samples;
  const n = rows.rowCount;
  const gamma =
    isMachine(kind) && settings.svm.kernel === 'rbf' ? gammaOf(gram(), rows, train) : null;
  const squares = Float64Array.from({ length: n }, (_, row) => gram()[row * (n + 1)]!);
  const productsOf = (indices: Int32Array): Float64Array => {
    const products = subMatrix(gram(), n, { rows: indices, columns: train });
    if (gamma === null) return products;
    const own = (of: Int32Array) => Float64Array.from(of, (row) => squares[row]!);
    return rbfKernel(products, [own(indices), own(train)], gamma);
  };
  const labels = Int32Array.from(train, (row) => samples.labels[row]!);
  const model = dualModel(
    kind,
    { products: productsOf(train), labels },
    { ...settings, width: rows.columnCount },
  );
  return {
    ...{ converged: model.converged ?? true, outputs: model.outputCount },
    margins: (indices) => dualScores(model, productsOf(indices)),
    layer: () => {
      if (gamma !== null) throw withoutWeights();
      const fittedOn = { rows: selectRows(rows, train), scaler: scaled?.scaler ?? null };
      return linearLayer(model, { ...fittedOn, isVote: isMachine(kind) });
    },
  };
}

const withoutWeights = () =>
  new ConfigError('weak-probe/probe: the radial basis kernel has no weights of features.', {
    help: 'use svm.kernel=linear for directions, transfer and monitors.',
  });

/** One over the number of features times the variance of all values of the training rows. */
function gammaOf(
  gram: Float64Array,
  { rowCount: n, columnCount, values }: SharedSamples['rows'],
  train: Int32Array,
): number {
  let squares = 0;
  let sum = 0;
  for (const row of train) {
    squares += gram[row * (n + 1)]!;
    for (let f = 0; f < columnCount; f += 1) sum += values[row * columnCount + f]!;
  }
  const count = train.length * columnCount;
  const variance = squares / count - (sum / count) ** 2;
  return 1 / (columnCount * variance || 1);
}

interface DualTask {
  /** Inner products or kernel of the training rows. */
  readonly products: Float64Array;
  readonly labels: Int32Array;
}

function dualModel(
  kind: Exclude<ProbeKind, 'mlp'>,
  { products, labels }: DualTask,
  { svm, probe, width, maxIterations = 1e7 }: DualSettings & { readonly width: number },
): DualLinear & { readonly converged?: boolean } {
  switch (kind) {
    case 'svm':
    case 'scaled-svm':
      return fitSvmOnGram(products, labels, {
        ...{ cost: svm.c, tolerance: svm.tolerance, maxIterations },
      });
    case 'logistic':
      return fitLogisticOnGram(products, labels, { l2: probe.ridge });
    case 'lda': {
      const shrinkage = probe.shrinkage === 0 ? 'auto' : probe.shrinkage;
      return fitLda(products, labels, { featureCount: width, shrinkage });
    }
    case 'mass-mean':
      return fitMassMean(products, labels);
    case 'nearest-centroid':
      return fitNearestCentroid(products, labels);
    case 'pca':
      return fitPrincipalCentroid(products, labels, probe.components);
  }
}
