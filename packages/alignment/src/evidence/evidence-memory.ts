/**
 * How much memory scores by evidence will take.
 */
import type { AlignmentConfig } from '../config-fields.js';
import type { AlignmentTask } from '../data.js';
import { weighsEvidence } from '../search/search.js';
import { LISTED } from './evidence.js';

/** Pairs of the pattern as a share of the listed ones: lists name many pairs together. */
const PATTERN_SHARE = 0.65;
/** Bytes of a listed pair: its position and its cosine. */
const LISTED_BYTES = 8;
/** Bytes of a pair of the pattern: row, column, place in its column, sum and score. */
const PAIR_BYTES = 12 + 24;
/** Of each kind of evidence at a pair: the standard score, and one number for each threshold. */
const KIND_BYTES = 4 + 4 * 4;
/** What comes on top of the arrays that are counted: those of the trial before. */
const OVERHEAD = 1.15;

/**
 * Bytes that the scores of a training by evidence take in the host's memory at their peak: rows of
 * every kind, lists, pattern and scores; 0 where evidence is not weighed.
 *
 * Measured where candidates are searched: 109 MB for 108 foreseen of LoginMEA on EN-FR 3K, 65 for
 * 58 of IBMEA, 126 for 133 on a SYNTHETIC pair of 8,000 entities a side.
 *
 * @param widths - numbers of a row of each modality, and of the fused vectors.
 */
export function expectedEvidenceBytes(
  { data, split }: AlignmentTask,
  { evaluation }: AlignmentConfig,
  widths: readonly number[],
): number {
  if (!evaluation.enabled || split.test.length === 0) return 0;
  const [seeds, tested] = [split.seeds.length / 2, split.test.length / 2];
  const sidesOf = (left: number, right: number) => ({
    left: { length: left },
    right: { length: right },
  });
  const [all, open] = [0, seeds].map((less) =>
    sidesOf(data.left.length - less, data.right.length - less),
  );
  const evaluated = evaluation.candidates === 'all' ? all! : sidesOf(tested, tested);
  const entities = [evaluated, open!] // while the training evaluates, and after it
    .filter((sides) => weighsEvidence(sides, evaluation))
    .reduce((most, { left, right }) => Math.max(most, left.length + right.length), 0);
  const rows = 4 * entities * widths.reduce((sum, width) => sum + width, 0);
  const listed = widths.length * Math.max(LISTED, evaluation.cslsNeighbours) * entities;
  const pairs = PATTERN_SHARE * listed * (PAIR_BYTES + KIND_BYTES * widths.length);
  return OVERHEAD * (rows + LISTED_BYTES * listed + pairs);
}
