/**
 * Directions of outputs instead of heads: what matrices write on safety data, taken out (ActSVD).
 */
import { ConfigError, createRandom, type Random } from '@lab/core';
import { principalSubspace, tf } from '@lab/tensor';
import {
  checkpointFolder,
  editCheckpoint,
  type EditedCheckpoint,
  loadModel,
  type Model,
  readModelConfig,
} from '@lab/transformer';
import type { CalibrationRow, LinearWeight } from './linear-inputs.js';
import { linearWeights } from './linear-inputs.js';

/** How directions are taken out. */
export interface ActSvdOptions {
  /** Folder of the new checkpoint. */
  readonly to: string;
  /** r, directions on safety data; default 10. */
  readonly rank?: number | undefined;
  /** Rows of utility data, whose own directions stay; default none. */
  readonly utility?: readonly CalibrationRow[] | undefined;
  /** Directions on utility data that stay; default `rank`. */
  readonly utilityRank?: number | undefined;
  readonly seed?: number | undefined;
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called behind each matrix whose directions are found. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Orthonormal directions of outputs, `[out, rank]` row-major. */
interface Basis {
  readonly data: Float32Array;
  readonly rank: number;
}

/** What is taken out of a matrix, and what stays. */
interface Bases {
  readonly safety: Basis;
  readonly utility: Basis | null;
}

/**
 * Writes a checkpoint whose matrices no longer write along the directions that they write along
 * most on safety data: `W <- W - U U^T W`, U the top r left singular vectors of `Y = W X` over the
 * counted tokens. With utility data `W <- W - (I - V V^T) U U^T W`, V the same of it.
 *
 * Source: Wei et al., Assessing the Brittleness of Safety Alignment via Pruning and Low-Rank
 * Modifications (ActSVD, and its orthogonal variant).
 * Deviation: singular vectors by subspace iteration in ten rounds, not by a full decomposition.
 *
 * @param safety - rows of prompts with their responses, the response counted.
 * @throws {ConfigError} for ranks that are not 1 or more, or more than there are counted tokens.
 */
export async function removeSafetyRanks(
  path: string,
  safety: readonly CalibrationRow[],
  { to, rank = 10, utility, utilityRank = rank, seed = 1, ...options }: ActSvdOptions,
): Promise<EditedCheckpoint> {
  const { force, signal, onProgress } = options;
  assertRank(rank, safety, 'safety');
  if (utility !== undefined) assertRank(utilityRank, utility, 'utility');
  const model = await loadModel(path);
  const bases = new Map<string, Bases>();
  let weights: LinearWeight[];
  try {
    weights = linearWeights(readModelConfig(checkpointFolder(path)), model.parts.checkpoint);
    const random = createRandom(seed).fork('act-svd');
    for (const weight of weights) {
      signal?.throwIfAborted();
      const own = random.fork(weight.fileName);
      const basisOf = async (rows: readonly CalibrationRow[], size: number) =>
        outputBasis(model, rows, { weight, rank: size, random: own.fork(String(size)) });
      bases.set(weight.fileName, {
        safety: await basisOf(safety, rank),
        utility: utility === undefined ? null : await basisOf(utility, utilityRank),
      });
      onProgress?.(bases.size, weights.length);
    }
  } finally {
    model.dispose();
  }
  const isInputMajor = weights[0]?.isInputMajor ?? false;
  return editCheckpoint(path, to, {
    ...{ force, signal },
    change: (name, { shape }) => {
      const own = bases.get(name);
      if (own === undefined) return null;
      return (numbers) => withoutDirections(numbers as Float32Array, shape, { own, isInputMajor });
    },
    metadata: (before) => ({
      ...before,
      'lab.sahara.act-svd': JSON.stringify({ rank, utilityRank: utility ? utilityRank : null }),
    }),
  });
}

function assertRank(rank: number, rows: readonly CalibrationRow[], what: string): void {
  const tokens = rows.reduce((sum, { ids, from = 0 }) => sum + ids.length - from, 0);
  if (Number.isInteger(rank) && rank >= 1 && rank <= tokens) return;
  throw new ConfigError(`sahara/act-svd: rank ${rank} of ${tokens} tokens of ${what} data.`, {
    help: 'Give a whole number from 1, and more text than directions.',
  });
}

interface BasisOptions {
  readonly weight: LinearWeight;
  readonly rank: number;
  readonly random: Random;
}

async function outputBasis(
  model: Model,
  rows: readonly CalibrationRow[],
  { weight, rank, random }: BasisOptions,
): Promise<Basis> {
  const { data, width } = await inputsOf(model, rows, weight);
  const { fileName, isInputMajor } = weight;
  const { checkpoint } = model.parts;
  const shape = checkpoint.weights.get(fileName)!.shape as [number, number];
  const matrix = await checkpoint.read(fileName);
  const outputs = tf.tidy(() => {
    const x = tf.tensor2d(data, [data.length / width, width]);
    return tf.matMul(x, tf.tensor2d(matrix, shape), false, !isInputMajor) as tf.Tensor2D;
  });
  try {
    const size = Math.min(rank, ...outputs.shape);
    return {
      data: await principalSubspace(outputs, { rank: size, random, rounds: 10 }),
      rank: size,
    };
  } finally {
    outputs.dispose();
  }
}

/** What a matrix reads at the counted tokens of all rows, `[N, in]`. */
async function inputsOf(
  model: Model,
  rows: readonly CalibrationRow[],
  { layer, input }: LinearWeight,
): Promise<{ readonly data: Float32Array; readonly width: number }> {
  const parts: Float32Array[] = [];
  let width = 0;
  for (const { ids, from = 0 } of rows) {
    const result = await model.forward({ ids: [ids], capture: input, stopBlock: layer + 1 });
    result.dispose();
    const { data } = result.captured.get(input)!;
    width = data.length / ids.length;
    parts.push(data.subarray(from * width));
  }
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return { data, width };
}

/** The matrix without its part along the safety directions, in float32. */
function withoutDirections(
  numbers: Float32Array,
  shape: readonly number[],
  { own, isInputMajor }: { readonly own: Bases; readonly isInputMajor: boolean },
): Float32Array {
  const removed = tf.tidy(() => {
    const stored = tf.tensor2d(numbers, shape as [number, number]);
    const matrix = isInputMajor ? tf.transpose(stored) : stored;
    const outputs = matrix.shape[0]!;
    const along = ({ data, rank }: Basis, of: tf.Tensor2D) => {
      const basis = tf.tensor2d(data, [outputs, rank]);
      return tf.matMul(basis, tf.matMul(basis, of, true)) as tf.Tensor2D;
    };
    const safety = along(own.safety, matrix as tf.Tensor2D);
    const part = own.utility === null ? safety : tf.sub(safety, along(own.utility, safety));
    return isInputMajor ? tf.transpose(part) : part;
  });
  const values = removed.dataSync() as Float32Array;
  removed.dispose();
  return numbers.map((value, at) => value - values[at]!);
}
