/**
 * Top-K Intermediate Consistency: how alike the middle layers of a model speak over many prompts.
 */
import { ConfigError, DataError, type Random } from '@lab/core';
import {
  bootstrap,
  type BootstrapInterval,
  kendall,
  pearson,
  quantile,
  spearman,
} from '@lab/metrics';
import type { StateTops } from './lens.js';
import { type CountOptions, countTokens, promptCount, type TokenCount } from './token-table.js';
import type { TokenKinds } from './token-kinds.js';

/** Which tokens count: all, those of a kind, or those listed. */
export type ConsistencyRestriction = 'all' | 'negative' | 'positive' | readonly string[];

/** How {@link topKConsistency} counts. */
export interface ConsistencyOptions extends Omit<CountOptions, 'isRepeated'> {
  /** Default `all`. */
  readonly restrict?: ConsistencyRestriction | undefined;
  /** Tells kinds; needed with `negative` and `positive`. */
  readonly kinds?: TokenKinds | undefined;
  /** For an interval over prompts; default none. */
  readonly random?: Pick<Random, 'integer'> | undefined;
  /** Default 1000. */
  readonly resamples?: number | undefined;
}

/** Consistency of one state. */
export interface StateConsistency {
  readonly state: number;
  /** `C_K(l)`, in 0..1. */
  readonly value: number;
  /** The K tokens that make it up. */
  readonly tokens: readonly TokenCount[];
}

/** Consistency over middle states. */
export interface Consistency {
  /** `C_K`, mean over the states. */
  readonly value: number;
  readonly states: readonly StateConsistency[];
  /** Over prompts, 95 %; null where none was asked for. */
  readonly interval: Pick<BootstrapInterval, 'deviation' | 'high' | 'low'> | null;
  readonly promptCount: number;
}

/**
 * Middle states of a model: those l with `from L <= l < to L`; for 32 blocks 16 to 23.
 *
 * Source: ydyjya/LLM-IHS-Explanation, range of the heat map; other depths in proportion.
 *
 * @param from - share of blocks; default .5.
 * @param to - excluded; default .75.
 * @throws {ConfigError} where no state is between them.
 */
export function middleStates(layerCount: number, from = 0.5, to = 0.75): number[] {
  const first = Math.ceil(from * layerCount);
  const states = Array.from({ length: layerCount + 1 }, (_, state) => state).filter(
    (state) => state >= first && state < to * layerCount,
  );
  if (states.length > 0) return states;
  throw new ConfigError(
    `weak-probe/consistency: no state is from ${from} to ${to} of ${layerCount} blocks.`,
    { help: 'Name the states, or widen the range.' },
  );
}

/**
 * Top-K Intermediate Consistency.
 *
 * `C_K(l) = 1 / (K N) sum_{k=1..K} c_l(w_l^k)`, `c_l(w) = #{ n : w in T_K(l, x_n) }`, `w_l^1 ..
 * w_l^K` the tokens with the largest c_l; `C_K` is their mean over the states. 1: all prompts have
 * the same K tokens.
 * Source: reconstructed from the counts of ydyjya/LLM-IHS-Explanation's heat map; equation not
 * verified.
 *
 * @param lens - of the middle states.
 * @throws {ConfigError} for a restriction to a kind without `kinds`, and K that differ.
 * @throws {DataError} where there are no states or prompts.
 */
export function topKConsistency(
  lens: readonly StateTops[],
  options: ConsistencyOptions,
): Consistency {
  const [first] = lens;
  if (first === undefined) {
    throw new DataError('weak-probe/consistency: there are no states.', {
      help: 'Read the lens of the middle states; see middleStates.',
    });
  }
  const [n, { top }] = [promptCount(first), first];
  const isUneven = lens.some((one) => one.top !== top || promptCount(one) !== n);
  if (isUneven) {
    throw new ConfigError('weak-probe/consistency: states differ in prompts or in K.', {
      help: 'Read all of them in one call of lensStates.',
    });
  }
  const isCounted = counted(options);
  const states = lens.map((tops) => {
    const tokens = countTokens(tops, options)
      .filter(({ text }) => isCounted(text))
      .slice(0, top);
    const sum = tokens.reduce((total, { count }) => total + count, 0);
    return { state: tops.state, value: sum / (top * n), tokens };
  });
  const value = states.reduce((sum, one) => sum + one.value, 0) / states.length;
  return { ...{ value, states, promptCount: n }, interval: intervalOf(lens, options) };
}

function counted({ restrict = 'all', kinds }: ConsistencyOptions): (text: string) => boolean {
  if (restrict === 'all') return () => true;
  if (typeof restrict !== 'string') {
    const words = new Set(restrict.map((word) => word.trim().toLowerCase()));
    return (text) => words.has(text.trim().toLowerCase());
  }
  if (kinds !== undefined) return (text) => kinds.kindOf(text) === restrict;
  throw new ConfigError(`weak-probe/consistency: restrict ${restrict} needs lists of words.`, {
    help: 'Give kinds: tokenKinds().',
  });
}

/**
 * Percentile interval over prompts. Counts of the most frequent tokens of a resample are a little
 * above those of the set, most of all for few prompts.
 */
function intervalOf(lens: readonly StateTops[], options: ConsistencyOptions) {
  const { random, resamples = 1000 } = options;
  if (random === undefined) return null;
  const states = lens.map((tops) => numbered(tops, options));
  const n = promptCount(lens[0]!);
  const meanOf = (sample: Float64Array) =>
    states.reduce((sum, state) => sum + resampled(state, sample), 0) / states.length;
  const prompts = Float64Array.from({ length: n }, (_, row) => row);
  const { deviation, low, high } = bootstrap(prompts, meanOf, { random, resamples });
  return { deviation, low, high };
}

/** Tokens of a state as small numbers, for counting again and again. */
interface NumberedTops {
  readonly top: number;
  /** Number of each token, -1 for one that does not count, `[N, K]`. */
  readonly numbers: Int32Array;
  readonly counts: Int32Array;
}

function numbered({ ids, top }: StateTops, options: ConsistencyOptions): NumberedTops {
  const { nameOf, countBy = 'token' } = options;
  const isCounted = counted(options);
  const known = new Map<number | string, number>();
  const numbers = Int32Array.from(ids, (id, at) => {
    const text = nameOf(id);
    if (!isCounted(text)) return -1;
    const key = countBy === 'token' ? id : text;
    const number = known.get(key) ?? known.size;
    known.set(key, number);
    if (countBy === 'token') return number;
    // A prompt counts once for a text.
    const row = ids.subarray(at - (at % top), at);
    return row.some((other) => nameOf(other) === text) ? -1 : number;
  });
  return { top, numbers, counts: new Int32Array(known.size) };
}

/** `C_K(l)` of a resample of prompts. */
function resampled({ top, numbers, counts }: NumberedTops, sample: Float64Array): number {
  counts.fill(0);
  for (const row of sample) {
    for (let rank = 0; rank < top; rank += 1) {
      const number = numbers[row * top + rank]!;
      if (number >= 0) counts[number]! += 1;
    }
  }
  const best = counts.toSorted().subarray(-top);
  return best.reduce((sum, count) => sum + count, 0) / (top * sample.length);
}

/** A model, or a kind of prompts, with both figures. */
export interface ConsistencyPoint {
  readonly name: string;
  /** `C_K`. */
  readonly consistency: number;
  /** Share of attacks that succeed, 0..1. */
  readonly attackSuccess: number;
}

/** A correlation over models. */
export interface CorrelationEstimate {
  readonly value: number;
  /** Bootstrap over models, 95 %. */
  readonly low: number;
  readonly high: number;
  /** Resamples without a correlation, as one side did not vary; they are left out. */
  readonly degenerateResamples: number;
}

/** Three correlations of the same points. */
export interface ConsistencyCorrelation {
  readonly points: readonly ConsistencyPoint[];
  readonly pearson: CorrelationEstimate;
  readonly spearman: CorrelationEstimate;
  readonly kendall: CorrelationEstimate;
}

/**
 * How consistency and attack success go together over models; see `publishedCorrelations`. With
 * about ten models intervals are wide.
 *
 * @param options - `random` of the resamples, 2000 unless `resamples` says.
 * @throws {DataError} for fewer than three points, or where one side does not vary.
 */
export function consistencyVsAsr(
  points: readonly ConsistencyPoint[],
  { random, resamples = 2000 }: { readonly random: Random; readonly resamples?: number },
): ConsistencyCorrelation {
  if (points.length < 3) {
    throw new DataError(`weak-probe/consistency: ${points.length} models, needed are three.`, {
      help: 'Measure consistency and attack success of more models.',
    });
  }
  const estimate = (name: string, correlation: typeof pearson): CorrelationEstimate => {
    const drawn: number[] = [];
    const of = (sample: Float64Array) => {
      const value = correlation(
        Array.from(sample, (at) => points[at]!.consistency),
        Array.from(sample, (at) => points[at]!.attackSuccess),
      );
      drawn.push(value);
      return value;
    };
    const all = Float64Array.from(points, (_, at) => at);
    const { estimate: value } = bootstrap(all, of, { random: random.fork(name), resamples });
    if (Number.isNaN(value)) throw doesNotVary(points.length);
    const known = drawn.slice(1).filter((one) => !Number.isNaN(one));
    const sorted = known.toSorted((a, b) => a - b);
    return {
      ...{ value, low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) },
      degenerateResamples: resamples - known.length,
    };
  };
  return {
    points,
    pearson: estimate('pearson', pearson),
    spearman: estimate('spearman', spearman),
    kendall: estimate('kendall', kendall),
  };
}

const doesNotVary = (count: number) =>
  new DataError(`weak-probe/consistency: one side is the same for all ${count} models.`, {
    help: 'A correlation needs models that differ in both.',
  });
