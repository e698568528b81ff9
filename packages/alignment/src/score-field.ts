/**
 * Exact scores and ranks of single pairs, also of those far down the list.
 */
import { hostMatMul, type HostRows, tf } from '@lab/tensor';
import { type ComparedRows, comparedRows } from './compared-rows.js';
import type { PairEvidence } from './confidence.js';
import type { Encoding, EntitySides } from './learner.js';
import { stateEvidence } from './evidence/ranked-evidence.js';
import type { EvidenceScores, EvidenceThresholds } from './evidence/evidence.js';
import { linePairs } from './evidence/pair-pattern.js';
import { hostPair, pairProduct } from './search/host-pair.js';
import { nearestMeans } from './search/neighbours.js';
import { searchBothWays, weighsEvidence } from './search/search.js';
import type { TrainingState } from './training-state.js';

/** What the similarities say about a pair. */
export interface PairScores extends PairEvidence {
  /** Cosine of the fused vectors. */
  readonly cosine: number;
  /** Rank of the target among the candidates of the source, 1 is best. */
  readonly rank: number;
  /** Rank of the source among the candidates of the target. */
  readonly backwardRank: number;
}

/** Scores of all candidates, row by row when asked for; the caller disposes it. */
export interface ScoreField {
  /** Entities that are compared: those without a seed, and those asked for. */
  readonly candidates: EntitySides;
  scores(source: number, target: number): Promise<PairScores>;
  /** The targets with the best scores, best first. */
  best(source: number, count: number): Promise<number[]>;
  /** From where on each kind of evidence counts; null by the fused vectors. */
  readonly thresholds: EvidenceThresholds | null;
  dispose(): void;
}

/** Options of {@link createScoreField}. */
export interface FieldOptions {
  /** Entities that are compared though they are in a seed. */
  readonly asked?:
    | { readonly left: readonly number[]; readonly right: readonly number[] }
    | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Scores as `candidateTable` has them, among the entities without a seed. By evidence the entities
 * asked for take part where it is weighed, but not where it is chosen from where on each kind
 * counts, and ranks are among the pairs that any evidence names. By the fused vectors:
 *
 * `score = 2 cos(s, t) - r(s) - r(t)`, r the mean cosine of the k nearest on the other side; the
 * cosine itself where `evaluation.cslsNeighbours` is 0.
 */
export async function createScoreField(
  state: TrainingState,
  encoding: Encoding,
  { asked = { left: [], right: [] }, signal }: FieldOptions = {},
): Promise<ScoreField> {
  signal?.throwIfAborted();
  const { data, split } = state.task;
  const seeded = new Set(split.seeds);
  const without = (entities: ReadonlySet<number>) => ({
    left: data.left.filter((entity) => !entities.has(entity)),
    right: data.right.filter((entity) => !entities.has(entity)),
  });
  const open = without(seeded);
  for (const one of [...asked.left, ...asked.right]) seeded.delete(one);
  const candidates = without(seeded);
  const random = state.random.fork('align');
  const rows = await comparedRows(encoding, candidates, { random, signal });
  try {
    const { cslsNeighbours } = state.config.evaluation;
    const isEmpty = candidates.left.length === 0 || candidates.right.length === 0;
    if (!isEmpty && weighsEvidence(candidates, state.config.evaluation)) {
      const isOpen = countOf(candidates) === countOf(open);
      const thresholds = isOpen
        ? undefined
        : await openThresholds(state, encoding, { open, signal });
      const given = { sides: candidates, rows, encoding, thresholds, signal };
      return await evidenceField(candidates, rows, await stateEvidence(state, given));
    }
    const hubness =
      cslsNeighbours === 0 || isEmpty
        ? { left: null, right: null }
        : await hubnessOf(state, rows, signal);
    return fieldOf(candidates, rows, hubness);
  } catch (error) {
    rows.dispose();
    throw error;
  }
}

/**
 * From where on each kind of evidence counts where an alignment is made: among the entities without
 * a seed. Those asked for would move it, and with it the scores that confidences are fitted on.
 */
async function openThresholds(
  state: TrainingState,
  encoding: Encoding,
  { open, signal }: { readonly open: EntitySides } & Pick<FieldOptions, 'signal'>,
): Promise<EvidenceThresholds | undefined> {
  if (open.left.length === 0 || open.right.length === 0) return undefined;
  const random = state.random.fork('align');
  const rows = await comparedRows(encoding, open, { random, signal });
  try {
    const given = { sides: open, rows, encoding, signal };
    return (await stateEvidence(state, given)).thresholds;
  } finally {
    rows.dispose();
  }
}

const countOf = ({ left, right }: EntitySides) => left.length + right.length;

/** For each side the nearness of its entities, by position. */
interface Hubness {
  readonly left: Float32Array | null;
  readonly right: Float32Array | null;
}

/** Mean cosine of the k nearest of every row, on both sides. */
async function hubnessOf(
  { config, random }: TrainingState,
  rows: ComparedRows,
  signal: AbortSignal | undefined,
): Promise<Hubness> {
  const { search, cslsNeighbours: k } = config.evaluation;
  const how = { search, cslsNeighbours: 0, random: random.fork('search'), signal };
  const { forward, backward } = await searchBothWays(rows, { forward: k, backward: k }, how);
  const means = (scores: Float32Array) => Float32Array.from(nearestMeans(scores, { width: k, k }));
  return { left: means(forward.scores), right: means(backward.scores) };
}

/** Scores by evidence; ranks are among the pairs that any evidence names. */
async function evidenceField(
  candidates: EntitySides,
  rows: ComparedRows,
  evidence: EvidenceScores,
): Promise<ScoreField> {
  const fused = await hostPair(rows);
  const places = positionsOf(candidates);
  const lines = {
    rows: (row: number) => linePairs(evidence.pattern, 'rows', row),
    columns: (column: number) => linePairs(evidence.pattern, 'columns', column),
  };
  const { columns } = evidence.pattern;
  const standingIn = (pairs: Int32Array, pair: number | undefined, score: number) => {
    const others = Float32Array.from(pairs, (one) =>
      one === pair ? score : evidence.scores[one]!,
    );
    if (pair !== undefined) return standing(others, pairs.indexOf(pair));
    return standing(Float32Array.of(...others, score), others.length);
  };
  return {
    candidates,
    scores: async (source, target) => {
      const [row, column] = [places.left.get(source)!, places.right.get(target)!];
      const own = lines.rows(row);
      const pair = own.find((one) => columns[one] === column);
      const score = pair === undefined ? evidence.scoreOf(row, column) : evidence.scores[pair]!;
      const ahead = standingIn(own, pair, score);
      const behind = standingIn(lines.columns(column), pair, score);
      return {
        ...ahead,
        cosine: pairProduct(fused, row, column),
        backwardMargin: behind.margin,
        mutual: ahead.rank === 1 && behind.rank === 1,
        backwardRank: behind.rank,
      };
    },
    best: async (source, count) => {
      const own = lines.rows(places.left.get(source)!);
      const order = Array.from(own).sort(
        (a, b) => evidence.scores[b]! - evidence.scores[a]! || columns[a]! - columns[b]!,
      );
      return order.slice(0, count).map((pair) => candidates.right[columns[pair]!]!);
    },
    thresholds: evidence.thresholds,
    dispose: () => rows.dispose(),
  };
}

function positionsOf({ left, right }: EntitySides) {
  return {
    left: new Map(Array.from(left, (entity, at) => [entity, at])),
    right: new Map(Array.from(right, (entity, at) => [entity, at])),
  };
}

function fieldOf(candidates: EntitySides, rows: ComparedRows, hubness: Hubness): ScoreField {
  const positions = positionsOf(candidates);
  const cosinesOf = (side: 'left' | 'right', entity: number) =>
    cosineRow(rows, side, positions[side].get(entity)!);
  const scoresOf = async (side: 'left' | 'right', entity: number) => {
    const cosines = await cosinesOf(side, entity);
    const own = hubness[side]?.[positions[side].get(entity)!] ?? 0;
    const others = hubness[side === 'left' ? 'right' : 'left'];
    return others === null
      ? { cosines, scores: cosines }
      : { cosines, scores: cosines.map((cosine, at) => 2 * cosine - own - others[at]!) };
  };
  return {
    candidates,
    scores: async (source, target) => {
      const forward = await scoresOf('left', source);
      const backward = await scoresOf('right', target);
      const at = positions.right.get(target)!;
      const ahead = standing(forward.scores, at);
      const behind = standing(backward.scores, positions.left.get(source)!);
      return {
        ...ahead,
        cosine: forward.cosines[at]!,
        backwardMargin: behind.margin,
        mutual: ahead.rank === 1 && behind.rank === 1,
        backwardRank: behind.rank,
      };
    },
    best: async (source, count) => {
      const { scores } = await scoresOf('left', source);
      const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
      return order.slice(0, count).map((at) => candidates.right[at]!);
    },
    thresholds: null,
    dispose: () => rows.dispose(),
  };
}

/** Cosines of one entity with all of the other side, the mean over the draws. */
async function cosineRow(
  { left, right }: ComparedRows,
  side: 'left' | 'right',
  position: number,
): Promise<Float32Array> {
  const [own, others] = side === 'left' ? [left, right] : [right, left];
  const cosines = tf.tidy(() =>
    Array.isArray(own)
      ? drawnCosines(own as tf.Tensor2D[], others as tf.Tensor2D[], position)
      : hostMatMul(
          others as HostRows,
          tf.transpose((own as HostRows).gather(Int32Array.of(position))) as tf.Tensor2D,
        ),
  );
  const values = (await cosines.data()) as Float32Array;
  cosines.dispose();
  return values;
}

function drawnCosines(
  own: readonly tf.Tensor2D[],
  others: readonly tf.Tensor2D[],
  position: number,
): tf.Tensor {
  const draws = own.map((rows, draw) => {
    const row = tf.slice(rows, [position, 0], [1, -1]);
    return tf.matMul(row, others[draw]!, false, true);
  });
  return tf.div(tf.addN(draws), draws.length);
}

/** Score, rank and margin of one candidate among all. */
function standing(scores: Float32Array, at: number) {
  const score = scores[at]!;
  let rank = 1;
  let rival = Number.NEGATIVE_INFINITY;
  scores.forEach((other, position) => {
    if (position === at) return;
    rival = Math.max(rival, other);
    if (other > score) rank += 1;
  });
  return { score, rank, margin: score - (Number.isFinite(rival) ? rival : score - 1) };
}
