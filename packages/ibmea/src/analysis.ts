/**
 * What a trained model does on the test pairs, pair by pair: for predictions, plots and examples.
 */
import { tripleDegrees } from '@lab/graph';
import { nearestPairs, tf } from '@lab/tensor';
import { type CandidateTable, evidenceOf } from './align.js';
import { type ConfidenceModel, confidenceOf } from './confidence.js';
import { embedSides } from './evaluate.js';
import type { Posteriors } from './model.js';
import type { TrainingState } from './training-state.js';

/** One test pair and what the model says about it. */
export interface PairAnalysis {
  /** Dense indices of the entity asked for, its true counterpart and the best candidate. */
  readonly source: number;
  readonly gold: number;
  readonly predicted: number;
  /** Rank of the true counterpart among the candidates, 1 is best; 0 when beyond the tenth. */
  readonly rank: number;
  readonly score: number;
  readonly margin: number;
  readonly confidence: number | null;
  /** Cosine of the fused vectors of the true pair, and of the most similar wrong pair. */
  readonly trueCosine: number;
  readonly falseCosine: number;
  /** Mean posterior deviation of the graph modality over both entities; null without it. */
  readonly scale: number | null;
  /** Triple ends at the source. */
  readonly degree: number;
}

/** What an analysis of pairs looks at beside the state. */
export interface AnalysisInput {
  /** Posteriors of the model as it is, kept by the caller. */
  readonly posteriors: Posteriors;
  readonly table: CandidateTable;
  readonly confidence: ConfidenceModel | null;
}

/** Every test pair, in the order of the split. */
export async function analysePairs(
  state: TrainingState,
  { posteriors, table, confidence }: AnalysisInput,
): Promise<PairAnalysis[]> {
  const { test } = state.task.split;
  const sources = Int32Array.from({ length: test.length / 2 }, (_, at) => test[2 * at]!);
  const golds = Int32Array.from(sources, (_, at) => test[2 * at + 1]!);
  const { cosines, scales } = await pairValues(state, posteriors, { left: sources, right: golds });
  const rowOf = new Map(Array.from(table.sources, (entity, row) => [entity, row]));
  const degrees = tripleDegrees(state.task.data);
  return Array.from(sources, (source, at) => {
    const row = rowOf.get(source)!;
    const gold = golds[at]!;
    const candidates = Array.from(
      table.indices.subarray(row * table.width, (row + 1) * table.width),
      (position) => (position < 0 ? -1 : table.targets[position]!),
    );
    const evidence = evidenceOf(table, row);
    return {
      source,
      gold,
      predicted: candidates[0]!,
      rank: candidates.indexOf(gold) + 1,
      score: evidence.score,
      margin: evidence.margin,
      confidence: confidence === null ? null : confidenceOf(confidence, evidence),
      trueCosine: cosines.right[at]!,
      falseCosine: cosines.wrong[at]!,
      scale: scales?.[at] ?? null,
      degree: degrees[source]!,
    };
  });
}

/** Cosines of true pairs and of the best wrong pairs, and mean graph deviations. */
async function pairValues(
  state: TrainingState,
  posteriors: Posteriors,
  sides: { readonly left: Int32Array; readonly right: Int32Array },
) {
  const { left: sources, right: golds } = sides;
  const draw = { samples: 0, random: state.random };
  const rows = embedSides(state.model, posteriors, sides, draw);
  const left = rows.left[0]!;
  const right = rows.right[0]!;
  const scale = posteriors.graph?.scale ?? null;
  const means = scale === null ? null : tf.tidy(() => tf.mean(scale, 1));
  const perEntity = means === null ? null : await means.data();
  const products = tf.tidy(() => tf.sum(tf.mul(left, right), 1));
  const trueCosines = await products.data();
  const nearest = await nearestPairs({ left, right, k: Math.min(2, golds.length) });
  products.dispose();
  rows.dispose();
  means?.dispose();
  const width = Math.min(2, golds.length);
  const wrong = Float32Array.from(sources, (_, at) => {
    const isFirst = nearest.indices[at * width] === at;
    return nearest.scores[at * width + (isFirst && width > 1 ? 1 : 0)]!;
  });
  const scales =
    perEntity === null
      ? null
      : Array.from(sources, (source, at) => (perEntity[source]! + perEntity[golds[at]!]!) / 2);
  return { cosines: { right: trueCosines, wrong }, scales };
}
