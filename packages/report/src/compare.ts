import { createRandom, DataError } from '@lab/core';
import { falseDiscoveryRate, mean, pairedBootstrap, welchTest } from '@lab/metrics';
import type { RunFolder, SampleScores } from './run-folder.js';
import { groupRuns, type RunGroup } from './run-groups.js';
import { distinctRuns, type TestSet, testSets } from './test-sets.js';

/** A compared number of the results. */
export interface ComparedMetric {
  readonly key: string;
  readonly best: 'highest' | 'lowest';
}

/** The difference of a group from the best one of its test set in one metric, tested over seeds. */
export interface GroupDifference {
  readonly metric: string;
  readonly group: number;
  /** Index of the best group in this metric, among those of the same test set. */
  readonly best: number;
  /** Mean of the group minus mean of the best. */
  readonly difference: number;
  /** 95 % interval and p-value by Welch's test; absent with fewer than two seeds on a side. */
  readonly test?: { readonly low: number; readonly high: number; readonly pValue: number };
}

/** The difference of a run from the first run of its test set in mean sample quality. */
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
  /** Runs of the same samples and data, ranked among the same candidates; only these compare. */
  readonly testSets: readonly TestSet[];
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
 * Runs compared: grouped by data and settings, with differences from the best tested over seeds.
 *
 * Welch's test where two groups have at least two seeds each; p-values adjusted by
 * Benjamini-Hochberg. Runs with predictions are also compared sample by sample with the first
 * run by a paired bootstrap (2000 resamples, fixed seed). Both only among runs of the same data
 * files and the same samples, ranked among the same candidates.
 *
 * @param given - at least one; one that is given twice counts once, with a warning.
 * @throws {DataError} when there is no run, or a named metric is in none of them.
 */
export function compareRuns(
  given: readonly RunFolder[],
  options: CompareOptions = {},
): RunComparison {
  if (given.length === 0) {
    throw new DataError('report/compare: there are no runs.', { help: 'Name run folders.' });
  }
  const { runs, remarks } = distinctRuns(given);
  const sets = testSets(runs);
  const { groups, differing } = groupRuns(sets);
  const metrics = chosenMetrics(runs, options.metrics);
  return {
    groups,
    testSets: sets,
    differing,
    metrics,
    differences: adjusted(metrics.flatMap((metric) => differencesOf(groups, metric))),
    samples: sets.flatMap((set) => sampleDifferences(set.runs)),
    warnings: [...remarks, ...warningsOf(runs, sets)],
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
  const bestOf = (testSet: number): number => {
    const own = means.map((value, at) => (groups[at]!.testSet === testSet ? value : -Infinity));
    return own.indexOf(Math.max(...own));
  };
  return values.flatMap((list, group): GroupDifference[] => {
    const best = bestOf(groups[group]!.testSet);
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

function warningsOf(runs: readonly RunFolder[], sets: readonly TestSet[]): string[] {
  const differs = (read: (run: RunFolder) => unknown) =>
    new Set(runs.map((run) => JSON.stringify(read(run)))).size > 1;
  const names = Object.keys(runs[0]!.record.packages);
  const common = names.filter((name) => runs.every(({ record }) => name in record.packages));
  const versions = ({ record }: RunFolder) => common.map((name) => record.packages[name]);
  return [
    ...runs.flatMap(({ remarks }) => remarks),
    ...setWarnings(sets),
    ...(differs(versions) ? ['The runs were made by different package versions.'] : []),
    ...(differs(({ record }) => record.backend && (record.backend as { name?: string }).name)
      ? ['The runs used different backends.']
      : []),
  ];
}

/** Why runs of several test sets are not compared. */
function setWarnings(sets: readonly TestSet[]): string[] {
  if (sets.length === 1) return [];
  const differs = (key: 'data' | 'samples' | 'candidates') =>
    new Set(sets.map((set) => set[key])).size > 1;
  const onData = differs('data') ? ['did not read the same data files'] : [];
  const onSamples = differs('samples') ? ['were measured on different samples'] : [];
  const reasons = [
    ...(onData.length > 0 ? onData : onSamples),
    ...(differs('candidates') ? ['were ranked among different candidates'] : []),
  ];
  const what = reasons.join(' and ');
  const names = sets.map(({ label }) => label).join('; ');
  return [`The runs ${what} (${names}): no best and no test between these.`];
}
