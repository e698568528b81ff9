/**
 * How well the fused vectors find the counterparts of known pairs.
 */
import type { Random } from '@lab/core';
import type { AlignmentData } from '@lab/graph';
import { rankingMetrics, type RankingMetrics } from '@lab/metrics';
import { l2NormalizeRows, type PairRanks, rankPairs, tf } from '@lab/tensor';
import { sampleRows } from './bottleneck.js';
import type { IbmeaConfig, Modality } from './config.js';
import { type DropoutSource, noDropout } from './encoders.js';
import { meanVariances } from './fusion.js';
import { maskRows } from './image-mask.js';
import type { IbmeaModel, Posteriors } from './model.js';
import { drawNoise } from './noise.js';

/** Cut-offs of the field's tables, and 5. */
const hitsAt = [1, 5, 10, 50] as const;

/** Metrics of both directions: KG1 to KG2 and back. */
export interface AlignmentMetrics {
  readonly forward: RankingMetrics;
  readonly backward: RankingMetrics;
}

/** Metrics and the ranks behind them, one per pair in the order given. */
export interface AlignmentEvaluation extends AlignmentMetrics {
  readonly forwardRanks: Float64Array;
  readonly backwardRanks: Float64Array;
  /** What the ranking did otherwise than asked, for the user. */
  readonly remarks: readonly string[];
}

/** Fused, L2-normalised rows of some entities, one tensor per noise draw. */
export type EmbeddingSamples = tf.Tensor2D[];

/** Fused rows of both sides, `[n, D]` and `[m, D]`, one tensor per draw. */
export interface EmbeddedSides {
  readonly left: EmbeddingSamples;
  readonly right: EmbeddingSamples;
  dispose(): void;
}

/** How samples are drawn outside of training. */
export interface SampleDraws {
  /** 0: posterior means, one tensor; n: n draws, n tensors. */
  readonly samples: number;
  readonly random: Random;
}

/**
 * Fused rows of the entities of both sides.
 *
 * Noise belongs to an entity, and each side has a stream of its own: shared by the two entities of
 * a pair, the noise itself would give the pair away.
 */
export function embedSides(
  model: IbmeaModel,
  posteriors: Posteriors,
  sides: { readonly left: Int32Array; readonly right: Int32Array },
  { samples, random }: SampleDraws,
): EmbeddedSides {
  const rows = (side: 'left' | 'right') =>
    Array.from({ length: Math.max(1, samples) }, (_, draw) => {
      const stream = samples === 0 ? null : random.fork(`${side}/${draw}`);
      return embedOnce(model, posteriors, sides[side], stream);
    });
  const left = rows('left');
  const right = rows('right');
  return { left, right, dispose: () => tf.dispose([...left, ...right]) };
}

/** One tensor of fused rows; without a stream the means. */
function embedOnce(
  model: IbmeaModel,
  posteriors: Posteriors,
  entities: Int32Array,
  random: Random | null,
): tf.Tensor2D {
  const noise = random === null ? null : drawNoise(model.config.model, model.modalities, random);
  return tf.tidy(() => {
    const rows = tf.tensor1d(entities, 'int32');
    const vectors: Partial<Record<Modality, tf.Tensor2D>> = {};
    for (const modality of model.modalities) {
      const draw = noise === null ? null : noise.rows(modality, entities);
      const drawn = sampleRows(posteriors[modality]!, rows, draw);
      vectors[modality] = maskRows(model, modality, { rows: drawn, entities });
    }
    const isByVariance = model.config.model.fusion === 'variance';
    const variances = isByVariance ? meanVariances(posteriors, rows) : {};
    const fusedRows = model.fuse({ ...vectors, variances });
    const joint = model.compress(fusedRows);
    if (joint === null) return l2NormalizeRows(fusedRows);
    const draw = noise === null ? null : noise.rows('joint', entities);
    const noisy = draw === null || joint.scale === null ? null : tf.mul(draw, joint.scale);
    return l2NormalizeRows(noisy === null ? joint.mean : tf.add(joint.mean, noisy));
  });
}

/** What an evaluation needs beside the model. */
export interface EvaluationInput {
  readonly data: AlignmentData;
  /** Pairs whose counterparts are looked for, interleaved (left, right). */
  readonly pairs: Int32Array;
  readonly random: Random;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Hits@1, 5, 10 and 50, MRR and mean rank of the pairs, in both directions.
 *
 * Candidates are the pairs' own entities (`test`) or every entity of the other graph (`all`);
 * similarity is cosine with CSLS over the same candidates; equal similarities get the mean rank.
 *
 * @throws {ModelError} when a similarity is NaN.
 */
export async function evaluateModel(
  model: IbmeaModel,
  input: EvaluationInput,
): Promise<AlignmentEvaluation> {
  const posteriors = encodeOutside(model);
  try {
    return await evaluatePosteriors(model, posteriors, input);
  } finally {
    disposePosteriors(posteriors);
  }
}

/** Posteriors outside of a gradient, owned by the caller. */
export function encodeOutside(model: IbmeaModel, dropout: DropoutSource = noDropout): Posteriors {
  return tf.tidy(() => model.encode(dropout) as unknown as tf.TensorContainer) as Posteriors;
}

/** Frees the tensors of `encodeOutside`. */
export function disposePosteriors(posteriors: Posteriors): void {
  for (const { mean, scale } of Object.values(posteriors)) {
    mean.dispose();
    scale?.dispose();
  }
}

/** As `evaluateModel`, on posteriors that the caller keeps. */
export async function evaluatePosteriors(
  model: IbmeaModel,
  posteriors: Posteriors,
  { data, pairs, random, signal }: EvaluationInput,
): Promise<AlignmentEvaluation> {
  const { candidates, samples, cslsNeighbours } = model.config.evaluation;
  const sides = candidateSides(data, pairs, candidates);
  const rows = embedSides(model, posteriors, sides, { samples, random });
  try {
    const ranks = await rankPairs({
      left: rows.left,
      right: rows.right,
      gold: sides.gold,
      k: Math.max(1, cslsNeighbours),
      csls: cslsNeighbours > 0,
      ...(signal === undefined ? {} : { signal }),
    });
    return rankedPairs(ranks, sides.rows);
  } finally {
    rows.dispose();
  }
}

/**
 * Metrics from ranks that are listed by row, brought into the order of the pairs.
 *
 * @param rows - row of each pair; rows without a pair have no rank.
 */
export function rankedPairs(ranks: PairRanks, rows: Int32Array): AlignmentEvaluation {
  const positionOfRow = new Map(
    Array.from(rows)
      .sort((a, b) => a - b)
      .map((row, at) => [row, at]),
  );
  const inPairOrder = (values: Float64Array) =>
    Float64Array.from(rows, (row) => values[positionOfRow.get(row)!]!);
  const forwardRanks = inPairOrder(ranks.forwardRanks);
  const backwardRanks = inPairOrder(ranks.backwardRanks);
  return {
    forward: rankingMetrics(forwardRanks, { hitsAt }),
    backward: rankingMetrics(backwardRanks, { hitsAt }),
    forwardRanks,
    backwardRanks,
    remarks: ranks.remarks,
  };
}

/** Rows and columns of the similarity matrix, and where the pairs lie in it. */
export interface CandidateSides {
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Column of each row's counterpart, -1 for none. */
  readonly gold: Int32Array;
  /** Row of each pair. */
  readonly rows: Int32Array;
}

/** The entities to compare for these pairs. */
export function candidateSides(
  data: AlignmentData,
  pairs: Int32Array,
  candidates: IbmeaConfig['evaluation']['candidates'],
): CandidateSides {
  const count = pairs.length / 2;
  if (candidates === 'test') {
    const rows = Int32Array.from({ length: count }, (_, index) => index);
    const left = Int32Array.from(rows, (index) => pairs[2 * index]!);
    const right = Int32Array.from(rows, (index) => pairs[2 * index + 1]!);
    return { left, right, gold: rows, rows };
  }
  const rowOf = new Map(Array.from(data.left, (entity, row) => [entity, row]));
  const columnOf = new Map(Array.from(data.right, (entity, column) => [entity, column]));
  const gold = new Int32Array(data.left.length).fill(-1);
  const rows = new Int32Array(count);
  for (let pair = 0; pair < count; pair += 1) {
    const row = rowOf.get(pairs[2 * pair]!)!;
    rows[pair] = row;
    gold[row] = columnOf.get(pairs[2 * pair + 1]!)!;
  }
  return { left: data.left, right: data.right, gold, rows };
}
