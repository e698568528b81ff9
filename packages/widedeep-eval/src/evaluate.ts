/**
 * How well the verdicts of a run agree with people, and how the network behaved.
 */
import { createRandom } from '@lab/core';
import { verdictOfMean } from './aggregate.js';
import { llmeval2Datasets } from './dataset-map.js';
import { type EarlyStop, earlyStop } from './early-stop.js';
import { withHumanVerdicts } from './human-assist.js';
import type { JudgedSample } from './judged-sample.js';
import type { ReviewProblem } from './judgement.js';
import { krippendorffAlpha } from './jury-agreement.js';
import {
  type Estimate,
  type IntervalOptions,
  type LabelledVerdict,
  type TwoClassMetrics,
  verdictMetrics,
  type VerdictMetrics,
  withoutTies,
} from './verdict-metrics.js';
import { type Verdict, verdictOf } from './verdict.js';

/** Settings of {@link evaluateJudgements}. */
export interface EvaluateOptions {
  /** Of the bootstrap; default 1. */
  readonly seed?: number | undefined;
  /** Default 10,000. */
  readonly resamples?: number | undefined;
  /** beta: share of least certain samples that people decide; default 0. */
  readonly human?: number | undefined;
  /** Another tie threshold than that of the run, for the mean scores of a scope. */
  readonly tau?: { readonly value: number; readonly scope: 'all' | 'last' } | undefined;
  /** Tie threshold of the run, for the four ways to a verdict; default 0. */
  readonly runTau?: number | undefined;
  /** Abilities by data set; default those of LLMEval^2. */
  readonly abilities?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** Metrics of the samples of one data set, category or ability. */
export interface GroupMetrics {
  readonly name: string;
  readonly n: number;
  readonly accuracy: Estimate;
  readonly kappa: Estimate;
}

/** Accuracy and kappa of one of the four aggregations. */
export interface AggregationMetrics {
  readonly name: 'avgAll' | 'avgLast' | 'voteAll' | 'voteLast';
  readonly accuracy: number;
  readonly kappa: number;
}

/** How judges react to the order of the answers. */
export interface PositionStatistics {
  /** Share of judges whose verdict changes with the order; null where none judged both. */
  readonly conflictRate: number | null;
  /** Of answers that prefer one, the share that prefers what was shown first. */
  readonly firstPreference: number | null;
  /** Share of samples whose verdict is the same from either order alone. */
  readonly swapConsistency: number | null;
}

/** How the network behaved, with or without verdicts of people. */
export interface NetworkStatistics {
  readonly samples: number;
  readonly judged: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly position: PositionStatistics;
  /** Mean number of angles of a sample, and the most frequent ones. */
  readonly roles: {
    readonly mean: number;
    readonly frequent: readonly { readonly name: string; readonly count: number }[];
  };
  /** Krippendorff's alpha of the judges of the last layer. */
  readonly juryAgreement: number | null;
  /** Share of samples without discussion, as all judges agreed. */
  readonly stoppedEarly: number;
  /** What such a stop would save and change; null where no pair was discussed. */
  readonly earlyStop: EarlyStop | null;
  /** Answers without scores, by reason. */
  readonly problems: { readonly [problem in ReviewProblem]?: number };
  readonly flags: Readonly<Record<string, number>>;
  readonly calls: number;
  readonly tokens: { readonly in: number; readonly out: number };
  /** Null where of some sample no price is known. */
  readonly costUsd: number | null;
}

/** Agreement with people. */
export interface Agreement {
  readonly overall: VerdictMetrics;
  /** Without the ties of people. */
  readonly twoClass: TwoClassMetrics | null;
  readonly aggregations: readonly AggregationMetrics[];
  readonly byDataset: readonly GroupMetrics[];
  readonly byCategory: readonly GroupMetrics[];
  readonly byAbility: readonly GroupMetrics[];
  /** Means over data sets. */
  readonly macro: { readonly accuracy: number; readonly kappa: number };
  /** With the least certain share decided by people. */
  readonly human: { readonly share: number; readonly metrics: VerdictMetrics } | null;
}

/** A run in numbers. */
export interface Evaluation {
  readonly network: NetworkStatistics;
  /** Null where no sample has a verdict of people. */
  readonly agreement: Agreement | null;
}

/** Evaluates the judged samples of a run. */
export function evaluateJudgements(
  samples: readonly JudgedSample[],
  options: EvaluateOptions = {},
): Evaluation {
  const isLabelled = samples.some(({ gold }) => gold !== null);
  return {
    network: networkStatistics(samples, options.runTau),
    agreement: isLabelled ? agreementOf(samples, options) : null,
  };
}

type VerdictOf = (sample: JudgedSample) => Verdict | null;

function labelled(samples: readonly JudgedSample[], verdict: VerdictOf): LabelledVerdict[] {
  return samples.flatMap((sample) =>
    sample.gold === null ? [] : [{ gold: sample.gold, predicted: verdict(sample) }],
  );
}

function agreementOf(samples: readonly JudgedSample[], options: EvaluateOptions): Agreement {
  const { seed = 1, resamples, human = 0, tau } = options;
  const interval: IntervalOptions = { random: createRandom(seed).fork('bootstrap'), resamples };
  const verdict: VerdictOf = (sample) => verdictWith(sample, tau);
  const all = labelled(samples, verdict);
  const grouped = { samples: samples.filter(({ gold }) => gold !== null), verdict, interval };
  const abilities = options.abilities ?? defaultAbilities;
  const byDataset = groupMetrics(grouped, ({ dataset }) => [dataset]);
  const decided = human === 0 ? null : withHumanVerdicts(samples, human, verdict);
  return {
    overall: verdictMetrics(all, interval),
    twoClass: withoutTies(all, interval),
    aggregations: aggregationMetrics(samples, tau?.value ?? options.runTau ?? 0),
    byDataset,
    byCategory: groupMetrics(grouped, ({ dataset }) => categoryOf(dataset)),
    byAbility: groupMetrics(grouped, ({ dataset }) => abilities[dataset] ?? []),
    macro: {
      accuracy: meanOf(byDataset.map(({ accuracy }) => accuracy.value)) ?? 0,
      kappa: meanOf(byDataset.map(({ kappa }) => kappa.value)) ?? 0,
    },
    human:
      decided === null
        ? null
        : {
            share: human,
            metrics: verdictMetrics(
              labelled(samples, ({ id }) => decided.get(id) ?? null),
              interval,
            ),
          },
  };
}

/** The verdict of a run, or that of its mean scores with another threshold. */
export function verdictWith(sample: JudgedSample, tau: EvaluateOptions['tau']): Verdict | null {
  if (tau === undefined) return sample.verdict;
  const { avgAll, avgLast } = sample.aggregates;
  const mean = tau.scope === 'all' ? avgAll : avgLast;
  return mean === null ? sample.verdict : verdictOfMean(mean, tau.value);
}

const defaultAbilities: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(llmeval2Datasets).map(([name, { abilities }]) => [name, abilities]),
);

function categoryOf(dataset: string): string[] {
  const facts = Object.hasOwn(llmeval2Datasets, dataset) ? llmeval2Datasets[dataset] : undefined;
  return facts === undefined ? [] : [facts.category];
}

interface Grouped {
  readonly samples: readonly JudgedSample[];
  readonly verdict: VerdictOf;
  readonly interval: IntervalOptions;
}

function groupMetrics(
  { samples, verdict, interval }: Grouped,
  groupsOf: (sample: JudgedSample) => readonly string[],
): GroupMetrics[] {
  const groups = new Map<string, JudgedSample[]>();
  for (const sample of samples) {
    for (const name of groupsOf(sample)) groups.set(name, [...(groups.get(name) ?? []), sample]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, members]) => {
      const random = interval.random.fork(name);
      const found = verdictMetrics(labelled(members, verdict), { ...interval, random });
      return { name, n: found.n, accuracy: found.accuracy, kappa: found.kappa };
    });
}

function aggregationMetrics(samples: readonly JudgedSample[], tau: number): AggregationMetrics[] {
  const ways: Readonly<Record<AggregationMetrics['name'], VerdictOf>> = {
    avgAll: ({ aggregates, verdict }) => verdictOfMean(aggregates.avgAll, tau) ?? verdict,
    avgLast: ({ aggregates, verdict }) => verdictOfMean(aggregates.avgLast, tau) ?? verdict,
    voteAll: (sample) => voteOf(sample, 'voteAll'),
    voteLast: (sample) => voteOf(sample, 'voteLast'),
  };
  // Values alone: the least number of resamples that a bootstrap takes.
  const interval = { random: createRandom(1), resamples: 1 };
  return (Object.keys(ways) as AggregationMetrics['name'][]).map((name) => {
    const found = verdictMetrics(labelled(samples, ways[name]), interval);
    return { name, accuracy: found.accuracy.value, kappa: found.kappa.value };
  });
}

/** The vote of a network; of a verdict without scores the verdict itself. */
function voteOf({ aggregates, verdict }: JudgedSample, name: 'voteAll' | 'voteLast') {
  const isScored = Object.values(aggregates).some((value) => value !== null);
  return isScored ? aggregates[name] : verdict;
}

const frequentRoles = 12;

/** How the network behaved. */
export function networkStatistics(samples: readonly JudgedSample[], tau = 0): NetworkStatistics {
  const withRoles = samples.filter(({ roles }) => roles.length > 0);
  const costs = samples.map(({ costUsd }) => costUsd);
  const sum = (value: (sample: JudgedSample) => number): number =>
    samples.reduce((total, sample) => total + value(sample), 0);
  return {
    samples: samples.length,
    judged: samples.filter(({ verdict }) => verdict !== null).length,
    byStatus: counted(samples.map(({ status }) => status)),
    position: positionStatistics(samples),
    roles: {
      mean: meanOf(withRoles.map(({ roles }) => roles.length)) ?? 0,
      frequent: Object.entries(counted(samples.flatMap(({ roles }) => roles)))
        .map(([name, count]) => ({ name, count }))
        .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
        .slice(0, frequentRoles),
    },
    juryAgreement: krippendorffAlpha(samples.map(({ votes }) => votes)),
    stoppedEarly: meanOf(samples.map(({ stoppedAfter }) => Number(stoppedAfter !== null))) ?? 0,
    earlyStop: earlyStop(samples, tau),
    problems: summed(samples.map(({ problems }) => problems)),
    flags: counted(samples.flatMap(({ flags }) => flags)),
    calls: sum(({ calls }) => calls),
    tokens: { in: sum(({ tokens }) => tokens.in), out: sum(({ tokens }) => tokens.out) },
    costUsd: costs.includes(null) ? null : sum(({ costUsd }) => costUsd ?? 0),
  };
}

function positionStatistics(samples: readonly JudgedSample[]): PositionStatistics {
  let [judges, conflicts, first, second] = [0, 0, 0, 0];
  const consistent: number[] = [];
  for (const sample of samples) {
    judges += sample.bothOrders;
    conflicts += sample.conflicts;
    first += sample.firstPreferred;
    second += sample.secondPreferred;
    const { '12': forward, '21': backward } = sample.differences;
    if (forward === null || backward === null) continue;
    consistent.push(Number(verdictOf(forward) === verdictOf(backward)));
  }
  return {
    conflictRate: judges === 0 ? null : conflicts / judges,
    firstPreference: first + second === 0 ? null : first / (first + second),
    swapConsistency: meanOf(consistent),
  };
}

function meanOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function counted(names: readonly string[]): Record<string, number> {
  return summed(names.map((name) => ({ [name]: 1 })));
}

/** Counts added up by name, names in order. */
function summed(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const entry of counts) {
    for (const [name, count] of Object.entries(entry)) {
      sums.set(name, (sums.get(name) ?? 0) + count);
    }
  }
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}
