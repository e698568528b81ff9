import { createRandom, DataError } from '@lab/core';
import { falseDiscoveryRate, mean, pairedBootstrap, welchTest } from '@lab/metrics';
import type { RunFolder, SampleScores } from './run-folder.js';
import { groupRuns, type RunGroup } from './run-groups.js';

/** A compared number of the results. */
export interface ComparedMetric {
  readonly key: string;
  readonly best: 'highest' | 'lowest';
}

/** The difference of a group from the best group in one metric, tested over seeds. */
export interface GroupDifference {
  readonly metric: string;
  readonly group: number;
  /** Index of the best group in this metric. */
  readonly best: number;
  /** Mean of the group minus mean of the best. */
  readonly difference: number;
  /** 95 % interval and p-value by Welch's test; absent with fewer than two seeds on a side. */
  readonly test?: { readonly low: number; readonly high: number; readonly pValue: number };
}

/** The difference of a run from the first run in mean sample quality, on the samples of both. */
export interface SampleDifference {
  readonly kind: SampleScores['kind'];
  readonly run: string;
  readonly reference: string;
  readonly count: number;
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  readonly pValue: number;
}

/** Runs side by side: plain data, for a page or a terminal. */
export interface RunComparison {
  readonly groups: readonly RunGroup[];
  /** Paths of settings that are not the same in all groups. */
  readonly differing: readonly string[];
  readonly metrics: readonly ComparedMetric[];
  /** P-values are adjusted for their number (false discovery rate). */
  readonly differences: readonly GroupDifference[];
  readonly samples: readonly SampleDifference[];
  readonly warnings: readonly string[];
}

/** Which metrics are compared; default up to eight, those of alignment and accuracy first. */
export interface CompareOptions {
  readonly metrics?: readonly string[];
}

const LOWER_IS_BETTER = /loss|rank|ece$|brier|error|seconds|bytes|perplexity|(^|\.)kl/i;
/** Metrics that people look at first, in this order. */
const MAIN = [/(^|\.)hits@1$/, /(^|\.)(accuracy|f1)$/, /(^|\.)mrr$/, /hits@/, /(^|\.)auroc$/];
const NO_RESULT = /^baseline\.|(^|\.)(count|n|epochs?|step|low|high|deviation)$|seed/i;
const SHOWN_METRICS = 8;

/**
 * Runs compared: grouped by settings, with differences from the best tested over seeds.
 *
 * Welch's test where two groups have at least two seeds each; p-values adjusted by
 * Benjamini-Hochberg. Runs with predictions are also compared sample by sample with the first
 * run by a paired bootstrap (2000 resamples, fixed seed).
 *
 * @param runs - at least one.
 * @throws {DataError} when there is no run, or a named metric is in none of them.
 */
export function compareRuns(
  runs: readonly RunFolder[],
  options: CompareOptions = {},
): RunComparison {
  if (runs.length === 0) {
    throw new DataError('report/compare: there are no runs.', { help: 'Name run folders.' });
  }
  const { groups, differing } = groupRuns(runs);
  const metrics = chosenMetrics(runs, options.metrics);
  return {
    groups,
    differing,
    metrics,
    differences: adjusted(metrics.flatMap((metric) => differencesOf(groups, metric))),
    samples: sampleDifferences(runs),
    warnings: warningsOf(runs),
  };
}

function chosenMetrics(
  runs: readonly RunFolder[],
  wanted: readonly string[] | undefined,
): ComparedMetric[] {
  const known = [...new Set(runs.flatMap(({ results }) => Object.keys(results)))];
  for (const key of wanted ?? []) {
    if (known.includes(key)) continue;
    throw new DataError(`report/compare: no run has the metric "${key}".`, {
      field: key,
      help: known.length > 0 ? `Known: ${known.join(', ')}.` : 'None of the runs has results.',
    });
  }
  const shown = known.filter((key) => !NO_RESULT.test(key));
  const order = (key: string) => {
    const place = MAIN.findIndex((pattern) => pattern.test(key));
    return place < 0 ? MAIN.length : place;
  };
  const keys = wanted ?? shown.sort((a, b) => order(a) - order(b)).slice(0, SHOWN_METRICS);
  return keys.map((key) => ({ key, best: LOWER_IS_BETTER.test(key) ? 'lowest' : 'highest' }));
}

/** Values of a metric over the runs of a group that have it. */
export function metricValues(group: RunGroup, key: string): number[] {
  return group.runs.map(({ results }) => results[key]).filter((value) => value !== undefined);
}

function differencesOf(groups: readonly RunGroup[], metric: ComparedMetric): GroupDifference[] {
  const values = groups.map((group) => metricValues(group, metric.key));
  const sign = metric.best === 'highest' ? 1 : -1;
  const means = values.map((list) => (list.length > 0 ? sign * mean(list) : -Infinity));
  const best = means.indexOf(Math.max(...means));
  return values.flatMap((list, group): GroupDifference[] => {
    if (group === best || list.length === 0) return [];
    const difference = mean(list) - mean(values[best]!);
    const base = { metric: metric.key, group, best, difference };
    if (list.length < 2 || values[best]!.length < 2) return [base];
    const { low, high, pValue } = welchTest(list, values[best]!);
    return [{ ...base, test: { low, high, pValue } }];
  });
}

function adjusted(differences: readonly GroupDifference[]): GroupDifference[] {
  const tests = differences.flatMap(({ test }) => (test ? [test.pValue] : []));
  const pValues = falseDiscoveryRate(tests);
  let next = 0;
  return differences.map((difference) => {
    if (!difference.test) return difference;
    const pValue = pValues[next]!;
    next += 1;
    return { ...difference, test: { ...difference.test, pValue } };
  });
}

function sampleDifferences(runs: readonly RunFolder[]): SampleDifference[] {
  const [reference, ...others] = runs;
  if (!reference) return [];
  return others.flatMap((run): SampleDifference[] => {
    if (run.samples.kind !== reference.samples.kind) return [];
    const { kind, byId } = run.samples;
    const ids = [...byId.keys()].filter((id) => reference.samples.byId.has(id));
    if (ids.length < 2) return [];
    const [own, base] = [byId, reference.samples.byId].map((map) => ids.map((id) => map.get(id)!));
    const random = createRandom('report/compare').fork(run.name);
    const { estimate, low, high, pValue } = pairedBootstrap(own!, base!, { random });
    const names = { run: run.name, reference: reference.name };
    return [{ kind, ...names, count: ids.length, estimate, low, high, pValue }];
  });
}

function warningsOf(runs: readonly RunFolder[]): string[] {
  const differs = (read: (run: RunFolder) => unknown) =>
    new Set(runs.map((run) => JSON.stringify(read(run)))).size > 1;
  const data = ({ record }: RunFolder) => record.data.map(({ sha256 }) => sha256).sort();
  return [
    ...runs.flatMap(({ remarks }) => remarks),
    ...(differs(data) ? ['The runs did not read the same data files.'] : []),
    ...(differs(({ record }) => record.packages)
      ? ['The runs were made by different package versions.']
      : []),
    ...(differs(({ record }) => record.backend && (record.backend as { name?: string }).name)
      ? ['The runs used different backends.']
      : []),
  ];
}
