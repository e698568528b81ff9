/**
 * How far two scans find the same heads: two ablations, data sets, models or formats.
 */
import { DataError } from '@lab/core';
import { kendall, rankBiasedOverlap, spearman, type TopOverlap, topOverlap } from '@lab/metrics';
import { headKey, type HeadId, rankHeads } from './head.js';
import type { ScoreFile } from './score-file.js';

/** Scores of all heads; null where a head was not scored. */
export interface ScoreMatrix {
  /** `[L][H]`. */
  readonly scores: readonly (readonly (number | null)[])[];
}

/** How scores are compared. */
export interface CompareOptions {
  /** Heads of each that count as the best; default 10. */
  readonly top?: number | undefined;
  /** Of the rank-biased overlap; default .9. */
  readonly persistence?: number | undefined;
}

/** What the best heads of two scans share. */
export interface HeadOverlap extends Omit<TopOverlap, 'both' | 'firstOnly' | 'secondOnly'> {
  readonly both: readonly HeadId[];
  readonly firstOnly: readonly HeadId[];
  readonly secondOnly: readonly HeadId[];
}

/** A comparison of two scans. */
export interface ComparedScores {
  /** Heads that both scans scored. */
  readonly headCount: number;
  /** Of the best heads. */
  readonly top: HeadOverlap;
  /** Correlation of ranks over all heads, -1..1; NaN where one side does not vary. */
  readonly spearman: number;
  readonly kendall: number;
  /** Overlap of the whole rankings, weighted towards their begin, 0..1. */
  readonly rankBiasedOverlap: number;
  /** By layer: sums of scores, and the heads among the best of each. */
  readonly layers: readonly LayerComparison[];
}

/** One layer in two scans. */
export interface LayerComparison {
  readonly layer: number;
  readonly firstSum: number;
  readonly secondSum: number;
  readonly firstTop: number;
  readonly secondTop: number;
  readonly shared: number;
  /** Correlation of ranks within the layer. */
  readonly spearman: number;
}

/**
 * Overlap of two matrices of scores.
 *
 * Heads with one score keep the order of layers, so that a run of zeros at the end of both adds to
 * no overlap of the best. The p-value is that of the hypergeometric distribution: population L H,
 * k drawn.
 * Source: Zhou et al., On the Role of Attention Heads in Large Language Model Safety, figure 5 (the
 * top 10); p-value, correlations and rank-biased overlap are ours.
 *
 * @throws {DataError} for matrices of different sizes.
 * @throws {ConfigError} where there are fewer heads than `top`.
 */
export function compareScores(
  first: ScoreMatrix,
  second: ScoreMatrix,
  { top = 10, persistence = 0.9 }: CompareOptions = {},
): ComparedScores {
  assertSameSize(first, second);
  const pairs = first.scores.flatMap((row, layer) =>
    row.flatMap((score, head) => {
      const other = second.scores[layer]![head]!;
      return score === null || other === null ? [] : [{ layer, head, score, other }];
    }),
  );
  const [one, two] = [pairs.map(({ score }) => score), pairs.map(({ other }) => other)];
  const overlap = topOverlap(one, two, top);
  const headsOf = (places: readonly number[]): HeadId[] =>
    places.map((place) => ({ layer: pairs[place]!.layer, head: pairs[place]!.head }));
  const best = {
    ...overlap,
    both: headsOf(overlap.both),
    firstOnly: headsOf(overlap.firstOnly),
    secondOnly: headsOf(overlap.secondOnly),
  };
  const known = new Set(pairs.map(headKey));
  const ranking = (matrix: ScoreMatrix) =>
    rankHeads(matrix.scores)
      .map(headKey)
      .filter((key) => known.has(key));
  return {
    headCount: pairs.length,
    top: best,
    spearman: spearman(one, two),
    kendall: kendall(one, two),
    rankBiasedOverlap: rankBiasedOverlap(ranking(first), ranking(second), persistence),
    layers: first.scores.map((_, layer) => comparedLayer(layer, pairs, best)),
  };
}

interface ScorePair extends HeadId {
  readonly score: number;
  readonly other: number;
}

function comparedLayer(
  layer: number,
  pairs: readonly ScorePair[],
  { both, firstOnly, secondOnly }: HeadOverlap,
): LayerComparison {
  const own = pairs.filter((pair) => pair.layer === layer);
  const [one, two] = [own.map(({ score }) => score), own.map(({ other }) => other)];
  const count = (heads: readonly HeadId[]) => heads.filter((head) => head.layer === layer).length;
  const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
  return {
    layer,
    firstSum: sum(one),
    secondSum: sum(two),
    firstTop: count(both) + count(firstOnly),
    secondTop: count(both) + count(secondOnly),
    shared: count(both),
    spearman: own.length < 2 ? Number.NaN : spearman(one, two),
  };
}

function assertSameSize(first: ScoreMatrix, second: ScoreMatrix): void {
  const sizeOf = ({ scores }: ScoreMatrix) => `${scores.length} x ${scores[0]?.length ?? 0}`;
  const [one, two] = [sizeOf(first), sizeOf(second)];
  const isEven = [first, second].every(({ scores }) =>
    scores.every((row) => row.length === scores[0]!.length),
  );
  if (one === two && isEven) return;
  throw new DataError(`sahara/compare: scores of ${one} heads against ${two}.`, {
    help: 'Compare scans of models with the same layers and heads, and one granularity.',
  });
}

/**
 * What differs in how two score files were made, in words: a comparison is about one of these.
 */
export function scoreFileDifferences(first: ScoreFile, second: ScoreFile): string[] {
  const facts = (file: ScoreFile): Readonly<Record<string, unknown>> => ({
    scan: file.kind,
    model: file.model.fingerprint.slice(0, 12),
    tokenizer: file.tokenizer.fingerprint.slice(0, 12),
    format: file.format,
    data: `${file.data.sha256.slice(0, 12)} (${file.data.promptCount} prompts)`,
    ...file.ablation,
    ...(file.subspace && {
      side: file.subspace.side,
      center: file.subspace.center,
      rank: file.subspace.rank,
    }),
    source: file.source?.sha256.slice(0, 12) ?? 'none',
    numerics: file.numerics ?? 'none',
    unit: file.unit,
  });
  const [one, two] = [facts(first), facts(second)];
  return [...new Set([...Object.keys(one), ...Object.keys(two)])]
    .filter((name) => one[name] !== two[name])
    .map((name) => `${name}: ${String(one[name] ?? 'none')} and ${String(two[name] ?? 'none')}`);
}
