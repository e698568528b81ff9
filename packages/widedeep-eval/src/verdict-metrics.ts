/**
 * Agreement of verdicts with people: accuracy, kappa, precision, recall, F1, with intervals.
 */
import { DataError, type Random } from '@lab/core';
import {
  accuracy,
  bootstrap,
  cohenKappa,
  confusionMatrix,
  mcNemar,
  type McNemarResult,
  type PairedInterval,
  pairedBootstrap,
  type PrecisionRecallF1,
  precisionRecallF1,
} from '@lab/metrics';
import { type Verdict, verdicts } from './verdict.js';

/** A verdict beside that of people; null where the judge gave none. */
export interface LabelledVerdict {
  readonly gold: Verdict;
  readonly predicted: Verdict | null;
}

/** A value with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** How well verdicts agree with people. */
export interface VerdictMetrics {
  readonly n: number;
  /** Samples without a verdict; they count as wrong. */
  readonly unjudged: number;
  readonly accuracy: Estimate;
  /** Cohen's kappa; a missing verdict is a label of its own, which people never give. */
  readonly kappa: Estimate;
  /** Means over the classes that people gave. */
  readonly macro: PrecisionRecallF1;
  /** Share of each class of people that is found; null where people never gave it. */
  readonly recall: Readonly<Record<Verdict, number | null>>;
  /** `[gold, predicted]`, in the order of `verdicts`; the last column counts missing verdicts. */
  readonly confusion: readonly (readonly number[])[];
}

/** How intervals are drawn. */
export interface IntervalOptions {
  readonly random: Random;
  /** Default 10,000. */
  readonly resamples?: number | undefined;
}

const none = 'none';
const labels = [...verdicts, none];
const classCount = labels.length;

/**
 * Agreement with people; intervals are percentile bootstraps over samples.
 *
 * `kappa = (po - pe) / (1 - pe)`, po the share that agrees, pe that of chance by both marginals.
 *
 * @throws {DataError} when there are no samples.
 */
export function verdictMetrics(
  samples: readonly LabelledVerdict[],
  { random, resamples = 10_000 }: IntervalOptions,
): VerdictMetrics {
  requireSamples(samples);
  const gold = samples.map((sample) => sample.gold);
  const predicted = samples.map((sample) => sample.predicted ?? none);
  const present = verdicts.filter((verdict) => gold.includes(verdict));
  const { macro, classes } = precisionRecallF1(predicted, gold, { labels: present });
  const { counts } = confusionMatrix(predicted, gold, { labels });
  const codes = Float64Array.from(samples, codeOf);
  const recallOf = (verdict: Verdict): number | null =>
    classes.find(({ label }) => label === verdict)?.recall ?? null;
  return {
    n: samples.length,
    unjudged: samples.filter((sample) => sample.predicted === null).length,
    accuracy: estimate(accuracy(predicted, gold), codes, accuracyOfCodes, {
      random: random.fork('accuracy'),
      resamples,
    }),
    kappa: estimate(cohenKappa(gold, predicted), codes, kappaOfCodes, {
      random: random.fork('kappa'),
      resamples,
    }),
    macro,
    recall: { '1': recallOf('1'), '2': recallOf('2'), tie: recallOf('tie') },
    confusion: counts.slice(0, verdicts.length),
  };
}

function requireSamples(samples: readonly unknown[]): void {
  if (samples.length > 0) return;
  throw new DataError('widedeep-eval/metrics: no sample has a verdict of people.', {
    help: 'give data with gold labels, or annotations.',
  });
}

/** Verdict of people and of the judge in one number. */
function codeOf({ gold, predicted }: LabelledVerdict): number {
  const row = verdicts.indexOf(gold);
  const column = predicted === null ? verdicts.length : verdicts.indexOf(predicted);
  return row * classCount + column;
}

function estimate(
  value: number,
  codes: Float64Array,
  statistic: (sample: Float64Array) => number,
  { random, resamples }: Required<IntervalOptions>,
): Estimate {
  const { low, high } = bootstrap(codes, statistic, { random, resamples: resamples ?? 10_000 });
  return { value, low, high };
}

/** 1 for the codes of right verdicts: a look into a table is quicker than a remainder. */
const rightCodes = Uint8Array.from({ length: classCount * classCount }, (_, code) =>
  Number(code % (classCount + 1) === 0),
);

function accuracyOfCodes(codes: Float64Array): number {
  let right = 0;
  for (let at = 0; at < codes.length; at += 1) right += rightCodes[codes[at]!]!;
  return right / codes.length;
}

const cells = new Float64Array(classCount * classCount);
const rows = new Float64Array(classCount);
const columns = new Float64Array(classCount);

/** Cohen's kappa of coded pairs, without the objects that a call for each resample would make. */
function kappaOfCodes(codes: Float64Array): number {
  cells.fill(0);
  rows.fill(0);
  columns.fill(0);
  for (let at = 0; at < codes.length; at += 1) cells[codes[at]!]! += 1;
  let agreed = 0;
  for (let row = 0; row < classCount; row += 1) {
    for (let column = 0; column < classCount; column += 1) {
      const count = cells[row * classCount + column]!;
      rows[row]! += count;
      columns[column]! += count;
      if (row === column) agreed += count;
    }
  }
  let chance = 0;
  for (let label = 0; label < classCount; label += 1) chance += rows[label]! * columns[label]!;
  const n = codes.length;
  const expected = chance / (n * n);
  return expected === 1 ? 1 : (agreed / n - expected) / (1 - expected);
}

/** Agreement where people prefer one answer; a predicted tie counts one half. */
export interface TwoClassMetrics {
  readonly n: number;
  readonly accuracy: Estimate;
}

/**
 * Accuracy over the samples that people did not call a tie: 1 for their verdict, 1/2 for a tie, 0
 * for the other answer and for no verdict; null where people called all of them ties.
 */
export function withoutTies(
  samples: readonly LabelledVerdict[],
  { random, resamples = 10_000 }: IntervalOptions,
): TwoClassMetrics | null {
  const credits = samples.filter(({ gold }) => gold !== 'tie').map(creditOf);
  if (credits.length === 0) return null;
  const mean = (values: ArrayLike<number>) => {
    let sum = 0;
    for (let at = 0; at < values.length; at += 1) sum += values[at]!;
    return sum / values.length;
  };
  const {
    estimate: value,
    low,
    high,
  } = bootstrap(credits, mean, {
    random: random.fork('two-class'),
    resamples: resamples ?? 10_000,
  });
  return { n: credits.length, accuracy: { value, low, high } };
}

function creditOf({ gold, predicted }: LabelledVerdict): number {
  if (predicted === gold) return 1;
  return predicted === 'tie' ? 0.5 : 0;
}

/** How two judges differ on the same samples. */
export interface JudgeDifference {
  readonly n: number;
  /** Accuracy of the first minus that of the second, with the p-value of "no difference". */
  readonly accuracy: PairedInterval;
  /** Kappa of the first minus that of the second. */
  readonly kappa: Estimate;
  readonly mcNemar: McNemarResult;
}

/** A sample with the verdicts of two judges. */
export interface ComparedVerdict {
  readonly gold: Verdict;
  readonly first: Verdict | null;
  readonly second: Verdict | null;
}

/**
 * Whether one judge agrees better with people than another: paired bootstraps over samples, and the
 * exact test of McNemar.
 *
 * @throws {DataError} when there are no samples.
 */
export function compareJudges(
  samples: readonly ComparedVerdict[],
  { random, resamples = 10_000 }: IntervalOptions,
): JudgeDifference {
  requireSamples(samples);
  const first = samples.map((sample) => Number(sample.first === sample.gold));
  const second = samples.map((sample) => Number(sample.second === sample.gold));
  const size = classCount * classCount;
  const one = samples.map(({ gold, first: predicted }) => codeOf({ gold, predicted }));
  const two = samples.map(({ gold, second: predicted }) => codeOf({ gold, predicted }));
  const pairs = Float64Array.from(one, (code, at) => code * size + two[at]!);
  const [ofFirst, ofSecond] = [new Float64Array(pairs.length), new Float64Array(pairs.length)];
  const difference = (sample: Float64Array): number => {
    for (let at = 0; at < sample.length; at += 1) {
      ofFirst[at] = Math.floor(sample[at]! / size);
      ofSecond[at] = sample[at]! % size;
    }
    return kappaOfCodes(ofFirst) - kappaOfCodes(ofSecond);
  };
  const drawn = { random: random.fork('kappa-difference'), resamples: resamples ?? 10_000 };
  const kappa = bootstrap(pairs, difference, drawn);
  return {
    n: samples.length,
    accuracy: pairedBootstrap(first, second, {
      random: random.fork('accuracy-difference'),
      resamples: resamples ?? 10_000,
    }),
    kappa: { value: kappa.estimate, low: kappa.low, high: kappa.high },
    mcNemar: mcNemar(first, second),
  };
}
