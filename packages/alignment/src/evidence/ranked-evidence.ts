/**
 * Ranks and candidates by evidence, in the forms that the exact search has.
 */
import type { PairRanks } from '@lab/tensor';
import type { ComparedRows } from '../compared-rows.js';
import type { Modality } from '../config-fields.js';
import type { Encoding, EntitySides } from '../learner.js';
import type { CandidateCounts, FoundPairs } from '../search/search.js';
import { type EvidenceInput, type EvidenceScores, type Expert, weighEvidence } from './evidence.js';
import { linePairs } from './pair-pattern.js';
import { bestOfLines } from './pair-scores.js';

/** What evidence is weighed from. */
export interface EvidenceSource
  extends EntitySides,
    Pick<EvidenceInput, 'data' | 'seeds' | 'cslsNeighbours' | 'signal'> {
  readonly encoding: Encoding;
  readonly modalities: readonly Modality[];
  /** Rows of the fused vectors. */
  readonly fused: ComparedRows;
}

/** The evidence of every modality alone, and of the fused vectors. */
export async function modalEvidence(source: EvidenceSource): Promise<EvidenceScores> {
  const { encoding, modalities, fused, left, right } = source;
  const experts: Expert[] = [];
  try {
    for (const modality of modalities) {
      const own = await encoding.modalityRows(modality, left);
      const others = await encoding.modalityRows(modality, right);
      const dispose = () => {
        own.dispose();
        others.dispose();
      };
      experts.push({ name: modality, rows: { left: [own], right: [others], dispose } });
    }
    experts.push({ name: 'fused', rows: { ...fused, dispose: () => {} } });
    return await weighEvidence({ ...source, experts });
  } finally {
    for (const { rows: made } of experts) made.dispose();
  }
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

/**
 * Ranks of true counterparts among the pairs that any evidence names; one that none names is ranked
 * last of all.
 *
 * @param gold - position on the right of each left row's counterpart, -1 for none.
 */
export function ranksByEvidence({ pattern, scores }: EvidenceScores, gold: Int32Array): PairRanks {
  const { columns } = pattern;
  const [forward, backward]: [number[], number[]] = [[], []];
  gold.forEach((column, row) => {
    if (column < 0) return;
    const own = linePairs(pattern, 'rows', row);
    const pair = own.find((one) => columns[one] === column);
    if (pair === undefined) {
      forward.push(pattern.columnCount);
      backward.push(pattern.rowCount);
      return;
    }
    forward.push(rankAmong(own, pair, scores));
    backward.push(rankAmong(linePairs(pattern, 'columns', column), pair, scores));
  });
  return {
    forwardRanks: Float64Array.from(forward),
    backwardRanks: Float64Array.from(backward),
    remarks: [],
  };
}

/** Rank of one pair among those of its line; equal scores share the mean rank. */
function rankAmong(line: Int32Array, pair: number, scores: Float64Array): number {
  let [above, equal] = [0, 0];
  for (const one of line) {
    if (scores[one]! > scores[pair]!) above += 1;
    else if (scores[one] === scores[pair]) equal += 1;
  }
  return 1 + above + (equal - 1) / 2;
}
