/**
 * What a trained model does on the test pairs, pair by pair: for predictions, plots and examples.
 */
import { tripleDegrees } from '@lab/graph';
import { evidenceOf } from './align.js';
import type { CandidateTable } from './candidate-table.js';
import { comparedRows, rowProducts } from './compared-rows.js';
import { type ConfidenceModel, confidenceOf } from './confidence.js';
import type { Encoding, EntitySides } from './learner.js';
import { searchBothWays, type SearchWatch } from './search/search.js';
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
  /** Cosine of the vectors of the true pair, and of the most similar wrong pair. */
  readonly trueCosine: number;
  readonly falseCosine: number;
  /** How unsure the model is of both entities, their mean; null where it does not say. */
  readonly uncertainty: number | null;
  /** Triple ends at the source. */
  readonly degree: number;
}

/** What an analysis of pairs looks at beside the state. */
export interface AnalysisInput extends SearchWatch {
  /** The model as it is, kept by the caller. */
  readonly encoding: Encoding;
  readonly table: CandidateTable;
  readonly confidence: ConfidenceModel | null;
}

/** Every test pair, in the order of the split. */
export async function analysePairs(
  state: TrainingState,
  { encoding, table, confidence, signal, onProgress }: AnalysisInput,
): Promise<PairAnalysis[]> {
  const { test } = state.task.split;
  const sources = Int32Array.from({ length: test.length / 2 }, (_, at) => test[2 * at]!);
  const golds = Int32Array.from(sources, (_, at) => test[2 * at + 1]!);
  const sides = { left: sources, right: golds };
  const cosines = await pairCosines(state, encoding, { sides, signal, onProgress });
  const unsure = (await encoding.uncertainty?.values()) ?? null;
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
      uncertainty: unsure === null ? null : (unsure[source]! + unsure[gold]!) / 2,
      degree: degrees[source]!,
    };
  });
}

/** Cosines of true pairs, and of each source with its most similar wrong candidate. */
async function pairCosines(
  { config, random }: TrainingState,
  encoding: Encoding,
  { sides, signal, onProgress }: { readonly sides: EntitySides } & SearchWatch,
) {
  const golds = sides.right;
  const rows = await comparedRows(encoding, sides, { random: null, signal });
  try {
    const width = Math.min(2, golds.length);
    const { search } = config.evaluation;
    const how = { search, cslsNeighbours: 0, random: random.fork('search'), signal, onProgress };
    const { forward } = await searchBothWays(rows, { forward: width, backward: 0 }, how);
    const wrong = Float32Array.from(golds, (_, at) => {
      const isFirst = forward.indices[at * width] === at;
      return forward.scores[at * width + (isFirst && width > 1 ? 1 : 0)]!;
    });
    return { right: await rowProducts(rows), wrong };
  } finally {
    rows.dispose();
  }
}
