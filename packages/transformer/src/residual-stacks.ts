/**
 * What is done with the parts of a residual: sums so far, heads alone, the final norm, and products
 * with the rows of the output in which that norm is folded.
 */
import { ConfigError, ShapeError } from '@lab/core';
import { assertTokens, outputDirections, rowProducts } from './attribution.js';
import type { Model } from './model.js';
import type { ResidualComponents } from './residual-components.js';
import { assertHeld } from './weights/placed-parts.js';

/** Rows of the output with the final norm folded into them. */
export interface LogitDirections {
  /** `[N, D]`. */
  readonly shape: readonly [number, number];
  readonly data: Float32Array;
  /** What the bias of the final norm adds to each logit, `[N]`; null where it has none. */
  readonly biases: Float32Array | null;
}

/**
 * Rows of the output with the final norm folded into them, the model's weights as they are: a
 * residual of {@link normedComponents} times such a row, plus its bias, is a logit before any cap.
 *
 * `d = gain * (W_U[token] - W_U[other])`, centred where the norm centres.
 *
 * @param against - for each token another whose row is taken off; default none.
 * @throws {ConfigError} where `against` are not as many.
 * @throws {DataError} for a token that the vocabulary does not have.
 */
export async function logitDirections(
  model: Model,
  tokens: readonly number[],
  against?: readonly number[],
): Promise<LogitDirections> {
  assertHeld(model.parts);
  const batchSize = tokens.length;
  assertTokens(model, tokens, { batchSize, name: 'tokens' });
  if (against !== undefined) assertTokens(model, against, { batchSize, name: 'against' });
  const { directions, biases } = await outputDirections(model, tokens, against);
  return {
    shape: [batchSize, model.architecture.width],
    data: Float32Array.from(directions),
    biases: biases === null ? null : Float32Array.from(biases),
  };
}

/**
 * Components behind the final norm but for its gain and bias, with the scale that it has in the
 * whole pass: `(x_c - mean(x_c)) / s`, without the mean for RMS norms. They still add up.
 */
export function normedComponents(
  { architecture: { norm } }: Pick<Model, 'architecture'>,
  found: ResidualComponents,
): ResidualComponents {
  const [count, batchSize, width] = found.shape;
  const data = new Float32Array(found.data.length);
  for (let row = 0; row < count * batchSize; row += 1) {
    const own = found.data.subarray(row * width, (row + 1) * width);
    const mean = norm.kind === 'rms' ? 0 : own.reduce((sum, value) => sum + value, 0) / width;
    const scale = found.scale[row % batchSize]!;
    data.set(
      own.map((value) => (value - mean) / scale),
      row * width,
    );
  }
  return Object.assign({}, found, { data });
}

/**
 * The residual as it grows from part to part: component c is the sum of all up to c, the last one
 * the residual behind the last block.
 */
export function accumulatedResidual(found: ResidualComponents): ResidualComponents {
  const [, batchSize, width] = found.shape;
  const size = batchSize * width;
  const sums = new Float64Array(size);
  const data = Float32Array.from(found.data, (value, at) => (sums[at % size]! += value));
  return Object.assign({}, found, { data });
}

/**
 * The heads alone, L times H of them, in the order of blocks and heads.
 *
 * @throws {ConfigError} where there are none.
 */
export function stackedHeads(found: ResidualComponents): ResidualComponents {
  const [, batchSize, width] = found.shape;
  const size = batchSize * width;
  const places = [...found.components.entries()].filter(([, { head }]) => head !== null);
  if (places.length === 0) {
    throw new ConfigError('transformer/stackedHeads: there are no heads among the components.', {
      help: 'Give what residualComponents gives.',
    });
  }
  const data = new Float32Array(places.length * size);
  for (const [row, [at]] of places.entries()) {
    data.set(found.data.subarray(at * size, (at + 1) * size), row * size);
  }
  const components = places.map(([, one]) => one);
  return { components, shape: [places.length, batchSize, width], data, scale: found.scale };
}

/**
 * What rows add to logits: products of components behind the final norm with the directions of one
 * token for each text.
 *
 * @param normed - of {@link normedComponents}.
 * @returns `[B, C]`, without what the bias of the norm adds.
 * @throws {ShapeError} for directions that are not one for each text.
 */
export function directLogits(
  normed: ResidualComponents,
  directions: LogitDirections,
): Float32Array {
  const [count, batchSize, width] = normed.shape;
  const [texts, size] = directions.shape;
  if (texts !== batchSize || size !== width) {
    const [expected, got] = [`[${batchSize}, ${width}]`, `[${texts}, ${size}]`];
    throw new ShapeError(`transformer/directLogits: directions must be ${expected}, got ${got}.`, {
      expected,
      got,
      help: 'Give one for each text; repeat a text to ask for several tokens.',
    });
  }
  const others = Float64Array.from(directions.data);
  const values = new Float32Array(batchSize * count);
  for (let at = 0; at < count; at += 1) {
    const rows = normed.data.subarray(at * batchSize * width, (at + 1) * batchSize * width);
    for (const [text, value] of rowProducts(Float64Array.from(rows), others, width).entries()) {
      values[text * count + at] = value;
    }
  }
  return values;
}
