/** What commands print: plans, progress, results. */
import { formatCount, formatDuration, formatPercent, formatShare } from '@lab/core';
import { type CliContext, table } from '@lab/core/cli';
import type { RowsProgress, RowsResult } from '@lab/llm';
import { costLines, damagedText } from '@lab/llm/commands';
import type { Estimate, Evaluation, GroupScores } from '../evaluate.js';
import type { JudgeAgreement } from '../judge-agreement.js';
import type { JudgePair } from '../several-judges.js';
import type { Range, RunPlan } from '../plan.js';

/** Dollars, or n/a. */
export const usd = (value: number | null): string =>
  value === null ? 'n/a' : `${value.toFixed(value < 1 ? 4 : 2)} USD`;

const rangeText = ({ low, high }: Range, text: (value: number) => string) =>
  low === high ? text(low) : `${text(low)} to ${text(high)}`;

/** The plan of a run as tables. */
export function planText(plan: RunPlan): string {
  const rows = [
    ['questions', formatCount(plan.rows)],
    ['finished before', formatCount(plan.finished)],
    ['answers in the cache', formatCount(plan.cacheHits)],
    ['calls', formatCount(plan.calls)],
    [
      'tokens in',
      `${formatCount(plan.promptTokens)}${plan.isExact ? '' : ', by the lengths in the file'}`,
    ],
    ['tokens out', rangeText(plan.completionTokens, formatCount)],
    ['cost', plan.costUsd === null ? 'n/a; give --prices' : rangeText(plan.costUsd, usd)],
    ['time', `${rangeText(plan.seconds, formatDuration)} at ${plan.concurrency} calls at once`],
  ].map(([what, amount]) => ({ what, amount }));
  const sets = plan.bySet.map(({ set, rows: count, promptTokens, costUsd, truncated }) => ({
    set: `set ${set}`,
    questions: formatCount(count),
    'tokens in': formatCount(promptTokens),
    ...(costUsd === null ? {} : { cost: rangeText(costUsd, usd) }),
    'without all documents': count === 0 ? '' : formatPercent(truncated / count),
  }));
  const head = table(rows, [
    { key: 'what', heading: 'plan' },
    { key: 'amount', heading: '' },
  ]);
  return sets.length === 0 ? head : `${head}\n${table(sets)}`;
}

/** Shows how far a run is. */
export function progressReporter(
  context: CliContext,
  verb: string,
): (progress: RowsProgress) => void {
  return ({ done, total, failed, costUsd, rowsPerSecond }) => {
    const left = total === null || rowsPerSecond === 0 ? null : (total - done) / rowsPerSecond;
    const parts = [
      `${verb}  ${formatCount(done)}${total === null ? '' : `/${formatCount(total)}`}`,
      failed === 0 ? '' : `failed ${formatCount(failed)}`,
      `${rowsPerSecond < 10 ? rowsPerSecond.toFixed(1) : formatCount(rowsPerSecond)} /s`,
      costUsd === null ? '' : `cost ${usd(costUsd)}`,
      left === null || left <= 0 ? '' : `ETA ${formatDuration(left)}`,
    ];
    const text = parts.filter((part) => part !== '').join('  ');
    context.progress.update(text, total === null || total === 0 ? undefined : done / total);
  };
}

/** The end of a run of rows as a table. */
export function resultText({ counts, usage, milliseconds }: RowsResult): string {
  const statuses = Object.entries(counts.byStatus).map(([status, rows]) => ({ status, rows }));
  const { sentCalls, cachedCalls } = usage;
  return [
    table(statuses, ['status', 'rows']),
    ...costLines(usage),
    `calls   ${formatCount(sentCalls)} sent, ${formatCount(cachedCalls)} from the cache`,
    `time    ${formatDuration(milliseconds / 1000)}`,
    ...damagedText(counts),
  ].join('\n');
}

const scoreText = (estimate: Estimate | null): string =>
  estimate === null
    ? 'none'
    : `${estimate.value.toFixed(2)} (${estimate.low.toFixed(1)} to ${estimate.high.toFixed(1)})`;

const shareText = (estimate: Estimate | null): string =>
  estimate === null
    ? 'none'
    : `${formatShare(estimate.value)} ` +
      `(${formatShare(estimate.low)} to ${formatShare(estimate.high)})`;

/** Groups as a table. */
export function groupsText(heading: string, groups: readonly GroupScores[]): string {
  return table(
    groups.map(({ name, n, missing, averageScore, perfectRate }) => ({
      [heading]: name,
      n: formatCount(n),
      'no score': formatCount(missing),
      'avg score': scoreText(averageScore),
      'perfect rate': shareText(perfectRate),
    })),
  );
}

/** An evaluation as tables. */
export function evaluationText(evaluation: Evaluation): string {
  const { overall, byLevel, bySet, bySubtask, byCoverage, truncation, rules, missing } = evaluation;
  const cut = truncation
    .filter(({ truncated }) => truncated > 0)
    .map(({ set, truncated }) => `set ${set} ${formatPercent(truncated)}`);
  const without = Object.entries(missing).map(([why, count]) => `${why} ${formatCount(count)}`);
  return [
    groupsText('questions', [overall]),
    groupsText('task', byLevel),
    groupsText('length', bySet),
    groupsText('kind', bySubtask),
    ...(byCoverage.length < 2 ? [] : [groupsText('prompt', byCoverage)]),
    ...(cut.length === 0 ? [] : [`without all documents: ${cut.join(', ')}\n`]),
    ...(without.length === 0 ? [] : [`without a score: ${without.join(', ')}\n`]),
    ...(rules === null
      ? []
      : [
          `by rule: mean ${rules.meanRule.toFixed(2)} on ${formatCount(rules.n)} questions, ` +
            `where the judge gives ${rules.meanJudge.toFixed(2)}; rank correlation ` +
            `${rules.spearman === null ? 'n/a' : formatShare(rules.spearman)}\n`,
        ]),
  ].join('\n');
}

/** A judge beside people as a table. */
export function agreementText(agreement: JudgeAgreement): string {
  const { n, annotators, difference, meanJudge, meanPeople, samePerfect } = agreement;
  const signed = (value: number) => `${value > 0 ? '+' : ''}${value.toFixed(1)}`;
  const rows = [
    ['answers with both', `${formatCount(n)}, graded by ${formatCount(annotators)}`],
    ['mean of the judge', meanJudge.toFixed(1)],
    ['mean of people', meanPeople.toFixed(1)],
    [
      'judge minus people',
      `${signed(difference.value)} (${signed(difference.low)} to ${signed(difference.high)})`,
    ],
    ['mean distance', agreement.meanDistance.toFixed(1)],
    ['rank correlation', agreement.spearman === null ? 'n/a' : formatShare(agreement.spearman)],
    ['kappa, quadratic, five grades', formatShare(agreement.kappa)],
    ['both perfect or neither', formatPercent(samePerfect)],
  ].map(([what, value]) => ({ what, value }));
  return table(rows, [
    { key: 'what', heading: 'judge beside people' },
    { key: 'value', heading: '(95 % interval)' },
  ]);
}

/** Judges side by side as a table. */
export function judgesText(pairs: readonly JudgePair[]): string {
  return table(
    pairs.map((pair) => ({
      judges: `${pair.first}, ${pair.second}`,
      n: pair.n,
      means: `${pair.meanJudge.toFixed(1)}, ${pair.meanSecond.toFixed(1)}`,
      'mean distance': pair.meanDistance.toFixed(1),
      'rank correlation': pair.spearman === null ? 'n/a' : formatShare(pair.spearman),
      'both perfect or neither': formatPercent(pair.samePerfect),
    })),
  );
}
