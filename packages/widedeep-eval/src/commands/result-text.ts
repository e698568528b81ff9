/** What commands print: plans, progress, results. */
import { formatCount, formatDuration, formatPercent, formatShare } from '@lab/core';
import { type CliContext, table } from '@lab/core/cli';
import type { RowsProgress } from '@lab/llm';
import type { EarlyStop } from '../early-stop.js';
import type { Evaluation, GroupMetrics } from '../evaluate.js';
import type { NetworkPlan } from '../plan-network.js';
import type { Estimate } from '../verdict-metrics.js';

/** Dollars, or n/a. */
export const usd = (value: number | null): string =>
  value === null ? 'n/a' : `${value.toFixed(value < 1 ? 4 : 2)} USD`;

/** The plan of a run as a table. */
export function planText(plan: NetworkPlan): string {
  const { callsPerSample: each, completionTokens, costUsd, seconds } = plan;
  const range = ({ low, high }: { low: number; high: number }, text: (value: number) => string) =>
    low === high ? text(low) : `${text(low)} to ${text(high)}`;
  const rows = [
    ['pairs', formatCount(plan.rows)],
    ['left to judge', formatCount(plan.samples)],
    ['calls for a pair', `${each.expected} with ${plan.roles} judges; ${each.low} to ${each.high}`],
    ['answers in the cache', `${formatCount(plan.cacheHits)} of those that are known beforehand`],
    ['calls', formatCount(plan.calls)],
    ['tokens in', `about ${formatCount(plan.promptTokens)}`],
    ['tokens out', range(completionTokens, formatCount)],
    ['cost', costUsd === null ? 'n/a; give --prices' : range(costUsd, usd)],
    ['time', `${range(seconds, formatDuration)} at ${plan.concurrency} calls at once`],
  ].map(([what, amount]) => ({ what, amount }));
  return table(rows, [
    { key: 'what', heading: 'plan' },
    { key: 'amount', heading: '' },
  ]);
}

/** Shows how far a run is. */
export function progressReporter(context: CliContext): (progress: RowsProgress) => void {
  return ({ done, total, failed, costUsd, rowsPerSecond }) => {
    const left = total === null || rowsPerSecond === 0 ? null : (total - done) / rowsPerSecond;
    const parts = [
      `judge  ${formatCount(done)}${total === null ? '' : `/${formatCount(total)}`} pairs`,
      failed === 0 ? '' : `failed ${formatCount(failed)}`,
      `${rowsPerSecond < 10 ? rowsPerSecond.toFixed(1) : formatCount(rowsPerSecond)} pairs/s`,
      costUsd === null ? '' : `cost ${usd(costUsd)}`,
      left === null || left <= 0 ? '' : `ETA ${formatDuration(left)}`,
    ];
    const text = parts.filter((part) => part !== '').join('  ');
    context.progress.update(text, total === null || total === 0 ? undefined : done / total);
  };
}

/** An estimate and its interval. */
export const estimateText = ({ value, low, high }: Estimate): string =>
  `${formatShare(value)} (${formatShare(low)} to ${formatShare(high)})`;

/** An evaluation as tables. */
export function evaluationText(evaluation: Evaluation): string {
  const { agreement } = evaluation;
  const blocks = [headText(evaluation)];
  if (agreement !== null) {
    if (agreement.byDataset.length > 1) blocks.push(groupText('data set', agreement.byDataset));
    if (agreement.byAbility.length > 0) blocks.push(groupText('ability', agreement.byAbility));
    blocks.push(
      table(
        agreement.aggregations.map(({ name, accuracy, kappa }) => ({
          aggregation: aggregationNames[name],
          accuracy: formatShare(accuracy),
          kappa: formatShare(kappa),
        })),
      ),
    );
  }
  return blocks.join('\n');
}

/** The four aggregations in words. */
export const aggregationNames = {
  avgAll: 'average, all layers',
  avgLast: 'average, last layer',
  voteAll: 'vote, all layers',
  voteLast: 'vote, last layer',
} as const;

function headText({ network, agreement }: Evaluation): string {
  const { position, problems } = network;
  const share = (value: number | null) => (value === null ? 'n/a' : formatPercent(value));
  const failures = Object.entries(problems).map(([name, count]) => `${formatCount(count)} ${name}`);
  const rows: [string, string][] = [
    ['pairs judged', `${formatCount(network.judged)} of ${formatCount(network.samples)}`],
  ];
  if (agreement !== null) {
    const { overall, twoClass, human } = agreement;
    rows.push(['accuracy', estimateText(overall.accuracy)]);
    rows.push(["Cohen's kappa", estimateText(overall.kappa)]);
    rows.push(['macro F1', formatShare(overall.macro.f1)]);
    if (twoClass !== null) rows.push(['accuracy without ties', estimateText(twoClass.accuracy)]);
    if (human !== null) {
      const { accuracy, kappa } = human.metrics;
      const what = `with ${formatPercent(human.share, 0)} decided by people`;
      rows.push([what, `accuracy ${estimateText(accuracy)}, kappa ${estimateText(kappa)}`]);
    }
  }
  rows.push(['verdicts that change with the order', share(position.conflictRate)]);
  rows.push(['same verdict from either order', share(position.swapConsistency)]);
  if (network.juryAgreement !== null) {
    rows.push(["judges' agreement (alpha)", formatShare(network.juryAgreement)]);
  }
  const { earlyStop } = network;
  if (earlyStop !== null && earlyStop.unanimous > 0) {
    rows.push(['stopping early would', stopText(earlyStop)]);
  }
  if (network.stoppedEarly > 0) rows.push(['without discussion', share(network.stoppedEarly)]);
  if (failures.length > 0) rows.push(['answers without scores', failures.join(', ')]);
  rows.push(['calls', formatCount(network.calls)]);
  const { in: tokensIn, out } = network.tokens;
  rows.push(['tokens', `${formatCount(tokensIn)} in, ${formatCount(out)} out`]);
  rows.push(['cost', usd(network.costUsd)]);
  return table(
    rows.map(([what, value]) => ({ what, value })),
    [
      { key: 'what', heading: 'result' },
      { key: 'value', heading: agreement === null ? '' : '(95 % interval)' },
    ],
  );
}

/** What `network.earlyStop` would save and change, e.g. for a table or a page. */
export function stopText({ callsSaved, sameVerdict, accuracy }: EarlyStop): string {
  const saved = `save ${formatPercent(callsSaved)} of calls and keep ${formatPercent(sameVerdict)}`;
  const people =
    accuracy === null
      ? ''
      : `, accuracy ${formatShare(accuracy.stopped)} in place of ${formatShare(accuracy.whole)}`;
  return `${saved} of verdicts${people}`;
}

function groupText(heading: string, groups: readonly GroupMetrics[]): string {
  return table(
    groups.map(({ name, n, accuracy, kappa }) => ({
      name,
      pairs: n,
      accuracy: estimateText(accuracy),
      kappa: estimateText(kappa),
    })),
    [{ key: 'name', heading }, 'pairs', 'accuracy', 'kappa'],
  );
}
