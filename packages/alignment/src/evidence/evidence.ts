/**
 * Pairs by the evidence of every modality and of the fused vectors, weighed pair by pair.
 *
 * One weight per modality cannot see which entity has a wrong attribute row. Here each kind of
 * evidence adds what speaks for a pair and takes nothing away, so that a wrong row costs its own
 * evidence and no other; from where on a kind counts is chosen by how many edges of the first graph
 * the matches keep in the second, which reads no link beside the seeds.
 * Source: our own; no paper has it.
 */
import type { AlignmentData } from '@lab/graph';
import { nearestBothWays, tf } from '@lab/tensor';
import type { ComparedRows } from '../compared-rows.js';
import type { EntitySides } from '../learner.js';
import { cosinesAt } from '../search/cosines-at.js';
import { hostPair } from '../search/host-pair.js';
import { createEdgeCounter } from './kept-edges.js';
import { type PairPattern, unionPattern } from './pair-pattern.js';
import {
  evidenceIn,
  evidenceOf,
  type EvidenceValues,
  evidenceValues,
  mutualBest,
  type PairScores,
  pairScores,
  type Threshold,
} from './pair-scores.js';
import { type StandardScores, standardScores } from './standard-scores.js';
import { chooseThresholds } from './thresholds.js';

/** Nearest of each row and column by each kind of evidence that are looked at. */
export const LISTED = 24;

/** Brings scores to about the width of those by cosine, for margins, thresholds and matchings. */
const UNIT = 1 / 40;

/** One kind of evidence: rows of both sides. */
export interface Expert {
  readonly name: string;
  readonly rows: ComparedRows;
}

/** Scored pairs, and from where on each kind of evidence counted. */
export interface EvidenceScores {
  readonly pattern: PairPattern;
  readonly scores: Float64Array;
  readonly thresholds: EvidenceThresholds;
  /** Score of any pair, also of one that is not in the pattern. */
  scoreOf(row: number, column: number): number;
  /** Scores of some rows or columns with the whole other side, line by line. */
  scoresOfLines(side: 'rows' | 'columns', lines: Int32Array): Promise<Float32Array>;
}

/** From where on each kind of evidence counts, in standard deviations; null: left out. */
export type EvidenceThresholds = Readonly<Record<string, Threshold>>;

/** What evidence is weighed with. */
export interface EvidenceInput extends EntitySides {
  readonly experts: readonly Expert[];
  readonly data: AlignmentData;
  /** Known pairs, interleaved. */
  readonly seeds: Int32Array;
  /** k of CSLS; 0 for none. */
  readonly cslsNeighbours: number;
  /** Of each kind, by its name; without them they are chosen for these two sides. */
  readonly thresholds?: EvidenceThresholds | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Scores of the pairs of two sides that any kind of evidence names among its 24 nearest of either,
 * divided by 40: about as wide as CSLS scores of cosines.
 */
export async function weighEvidence(input: EvidenceInput): Promise<EvidenceScores> {
  const { experts, left, right, cslsNeighbours: k } = input;
  const found = [];
  const common = {
    k: Math.max(LISTED, k),
    ...(input.signal === undefined ? {} : { signal: input.signal }),
  };
  for (const { rows } of experts) {
    const { left: from, right: to } = rows;
    found.push(await nearestBothWays({ left: from, right: to, ...common }));
  }
  const size = { rowCount: left.length, columnCount: right.length };
  const pattern = unionPattern(found, size);
  const standard: StandardScores[] = [];
  for (const [at, { rows }] of experts.entries()) {
    const sides = await hostPair(rows);
    const cosines = await cosinesAt(sides.left, sides.right, pattern);
    standard.push(await standardScores(sides, { pattern, cosines, lists: found[at]!, k }));
  }
  const values = standard.map((one) => evidenceValues(one.values));
  const thresholds =
    input.thresholds === undefined
      ? await chosenThresholds(input, pattern, values)
      : experts.map(({ name }) => input.thresholds![name] ?? null);
  const scored = pairScores(pattern, values, { thresholds, k });
  const named = experts.map(({ name }, at) => [name, thresholds[at]!] as const);
  return {
    pattern,
    scores: scored.scores.map((score) => UNIT * score),
    thresholds: Object.fromEntries(named),
    scoreOf: (row, column) => {
      const sum = thresholds.reduce<number>(
        (all, one, kind) =>
          one === null ? all : all + evidenceOf(standard[kind]!.at(row, column), one),
        0,
      );
      const rest = k === 0 ? sum : scored.own[row]! + scored.others[column]!;
      return UNIT * (2 * sum - rest);
    },
    scoresOfLines: (side, lines) => lineScores({ standard, thresholds, scored, k }, side, lines),
  };
}

/** Scores of some lines with the whole other side, computed on the backend. */
async function lineScores(
  {
    standard,
    thresholds,
    scored,
    k,
  }: {
    readonly standard: readonly StandardScores[];
    readonly thresholds: readonly Threshold[];
    readonly scored: PairScores;
    readonly k: number;
  },
  side: 'rows' | 'columns',
  lines: Int32Array,
): Promise<Float32Array> {
  const [near, far] = side === 'rows' ? [scored.own, scored.others] : [scored.others, scored.own];
  const scores = tf.tidy(() => {
    const kinds = thresholds.flatMap((from, kind) =>
      from === null ? [] : [tf.tidy(() => evidenceIn(standard[kind]!.ofLines(side, lines), from))],
    );
    const sums = tf.addN(kinds);
    if (k === 0) return tf.mul(sums, UNIT);
    const terms = tf.tensor2d(
      Float32Array.from(lines, (line) => near[line]!),
      [lines.length, 1],
    );
    const others = tf.tensor2d(Float32Array.from(far), [1, far.length]);
    return tf.mul(tf.sub(tf.sub(tf.mul(sums, 2), terms), others), UNIT);
  });
  const values = (await scores.data()) as Float32Array;
  scores.dispose();
  return values;
}

/** The thresholds with which the matches keep most edges. */
async function chosenThresholds(
  input: EvidenceInput,
  pattern: PairPattern,
  values: readonly EvidenceValues[],
): Promise<readonly Threshold[]> {
  const counter = createEdgeCounter(input.data);
  const partners = new Int32Array(input.data.entityCount).fill(-1);
  const { thresholds } = await chooseThresholds(values.length, async (trial) => {
    await tf.nextFrame();
    input.signal?.throwIfAborted();
    const { scores } = pairScores(pattern, values, { thresholds: trial, k: input.cslsNeighbours });
    return counter.keptBy(partnersOf(partners, { ...input, pattern, scores }));
  });
  return thresholds;
}

/** Partners of the first graph's entities: of the seeds, and those that are each other's best. */
function partnersOf(
  partners: Int32Array,
  {
    seeds,
    left,
    right,
    pattern,
    scores,
  }: Pick<EvidenceInput, 'seeds' | 'left' | 'right'> & {
    readonly pattern: PairPattern;
    readonly scores: Float64Array;
  },
): Int32Array {
  partners.fill(-1);
  for (const pair of mutualBest(pattern, scores)) {
    partners[left[pattern.rows[pair]!]!] = right[pattern.columns[pair]!]!;
  }
  for (let at = 0; at < seeds.length; at += 2) partners[seeds[at]!] = seeds[at + 1]!;
  return partners;
}
