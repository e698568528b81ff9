/**
 * Ranks and candidates by evidence, in the forms that the exact search has.
 */
import { HostRows, type PairRanks, type tf } from '@lab/tensor';
import type { ComparedRows } from '../compared-rows.js';
import type { AlignmentConfig, Modality } from '../config-fields.js';
import type { AlignmentTask } from '../data.js';
import type { Encoding, EntitySides, Learner } from '../learner.js';
import { tiedRank } from '../search/neighbours.js';
import type { CandidateCounts, FoundPairs } from '../search/search.js';
import {
  type EvidenceInput,
  type EvidenceScores,
  type EvidenceThresholds,
  type Expert,
  weighEvidence,
} from './evidence.js';
import { linePairs } from './pair-pattern.js';
import { bestOfLines } from './pair-scores.js';

/** What evidence is weighed from. */
export interface EvidenceSource
  extends EntitySides,
    Pick<EvidenceInput, 'data' | 'seeds' | 'cslsNeighbours' | 'thresholds' | 'signal'> {
  readonly encoding: Encoding;
  readonly modalities: readonly Modality[];
  /** Rows of the fused vectors. */
  readonly fused: ComparedRows;
}

/** The parts of a training that evidence is weighed with. */
export interface EvidenceState {
  readonly config: Pick<AlignmentConfig, 'evaluation'>;
  readonly task: AlignmentTask;
  readonly learner: Pick<Learner, 'modalities'>;
}

/** What a model says of the pairs of two sides. */
export interface EvidenceSides {
  readonly sides: EntitySides;
  /** Of the fused vectors. */
  readonly rows: ComparedRows;
  readonly encoding: Encoding;
  /** Those to count from; without them they are chosen for these sides. */
  readonly thresholds?: EvidenceThresholds | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The evidence of a model for pairs of two sides, as its config has it. */
export function stateEvidence(
  { config, learner, task }: EvidenceState,
  { sides, rows, encoding, thresholds, signal }: EvidenceSides,
): Promise<EvidenceScores> {
  return modalEvidence({
    ...{ encoding, modalities: learner.modalities, fused: rows, thresholds, signal },
    ...{ left: sides.left, right: sides.right, data: task.data, seeds: task.split.seeds },
    cslsNeighbours: config.evaluation.cslsNeighbours,
  });
}

/** The evidence of every modality alone, and of the fused vectors. */
export async function modalEvidence(source: EvidenceSource): Promise<EvidenceScores> {
  const { encoding, modalities, fused, left, right } = source;
  const experts: Expert[] = [];
  for (const modality of modalities) {
    // In the host's memory: the rows of all modalities beside each other may be many.
    const own = await hostRowsOf(await encoding.modalityRows(modality, left));
    const others = await hostRowsOf(await encoding.modalityRows(modality, right));
    experts.push({ name: modality, rows: { left: own, right: others, dispose: () => {} } });
  }
  experts.push({ name: 'fused', rows: { ...fused, dispose: () => {} } });
  return weighEvidence({ ...source, experts });
}

/** The rows of a tensor in the host's memory; the tensor is disposed. */
async function hostRowsOf(x: tf.Tensor2D): Promise<HostRows> {
  const [rowCount, columnCount] = x.shape;
  const values = (await x.data()) as Float32Array;
  x.dispose();
  return new HostRows(rowCount, columnCount, values);
}

/** The best of both sides. */
export function foundByEvidence(
  { pattern, scores }: EvidenceScores,
  counts: CandidateCounts,
): FoundPairs {
  return {
    forward: bestOfLines(pattern, scores, { side: 'rows', k: counts.forward }),
    backward: bestOfLines(pattern, scores, { side: 'columns', k: counts.backward }),
  };
}

/** Scores of lines with the whole other side that are held at a time. */
const CELLS = 2 ** 22;

/**
 * Ranks of true counterparts, as candidates are listed: the pairs that any evidence names among its
 * nearest come first, by score, and behind them all others, by score.
 *
 * @param gold - position on the right of each left row's counterpart, -1 for none.
 */
export async function ranksByEvidence(found: EvidenceScores, gold: Int32Array): Promise<PairRanks> {
  const { pattern } = found;
  const asked = Int32Array.from(gold.keys()).filter((row) => gold[row]! >= 0);
  const named = asked.map((row) => {
    const own = linePairs(pattern, 'rows', row);
    return own.find((pair) => pattern.columns[pair] === gold[row]) ?? -1;
  });
  const unnamed = Array.from(asked).flatMap((row, at) =>
    named[at]! < 0 ? [{ at, row, column: gold[row]! }] : [],
  );
  const ranks = (side: 'rows' | 'columns') =>
    Float64Array.from(asked, (row, at) => {
      const line = linePairs(pattern, side, side === 'rows' ? row : gold[row]!);
      if (named[at]! < 0) return 0;
      return tiedRank(
        found.scores[named[at]!]!,
        Array.from(line, (pair) => found.scores[pair]!),
      );
    });
  const [forwardRanks, backwardRanks] = [ranks('rows'), ranks('columns')];
  const step = Math.ceil(CELLS / Math.max(1, pattern.rowCount, pattern.columnCount));
  for (let start = 0; start < unnamed.length; start += step) {
    const part = unnamed.slice(start, start + step);
    const rows = await found.scoresOfLines(
      'rows',
      Int32Array.from(part, ({ row }) => row),
    );
    const columns = await found.scoresOfLines(
      'columns',
      Int32Array.from(part, (one) => one.column),
    );
    part.forEach(({ at, row, column }, line) => {
      const own = linePairs(pattern, 'rows', row).map((pair) => pattern.columns[pair]!);
      const others = linePairs(pattern, 'columns', column).map((pair) => pattern.rows[pair]!);
      const place = { line, width: pattern.columnCount, wanted: column, ahead: own };
      forwardRanks[at] = rankBehind(rows, place);
      backwardRanks[at] = rankBehind(columns, {
        ...{ line, width: pattern.rowCount, wanted: row, ahead: others },
      });
    });
  }
  return { forwardRanks, backwardRanks, remarks: [] };
}

/** Rank of one place of a line behind some that come first. */
function rankBehind(scores: Float32Array, { line, width, wanted, ahead }: Behind): number {
  const own = scores.slice(line * width, (line + 1) * width);
  const score = own[wanted]!;
  for (const place of ahead) own[place] = Number.NEGATIVE_INFINITY;
  return ahead.length + tiedRank(score, own);
}

interface Behind {
  readonly line: number;
  readonly width: number;
  readonly wanted: number;
  readonly ahead: Int32Array;
}
