/** What `llm run` shows: its plan, how far it is, and its end. */
import { formatCount, formatCounted, formatDuration, LabError, readRunRecord } from '@lab/core';
import { type CliContext, table } from '@lab/core/cli';
import { costLines } from '../cost-lines.js';
import { findRunInput } from '../exports/run-input.js';
import type { Plan, Range } from '../plan.js';
import type { RowsProgress, RowsResult } from '../rows/run-rows.js';
import { usdText } from '../usd-text.js';

/** Shows how far a run is. */
export function progressReporter(context: CliContext): (progress: RowsProgress) => void {
  return ({ done, total, failed, costUsd, rowsPerSecond }) => {
    const isOver = total === null || done >= total;
    const left = isOver || rowsPerSecond === 0 ? null : (total - done) / rowsPerSecond;
    const parts = [
      `run  ${formatCount(done)}${total === null ? '' : `/${formatCount(total)}`} rows`,
      failed === 0 ? '' : `failed ${formatCount(failed)}`,
      `${rowsPerSecond < 10 ? rowsPerSecond.toFixed(1) : formatCount(rowsPerSecond)} rows/s`,
      costUsd === null ? '' : `cost ${usdText(costUsd)}`,
      left === null ? '' : `ETA ${formatDuration(left)}`,
    ];
    const text = parts.filter((part) => part !== '').join('  ');
    context.progress.update(text, total === null || total === 0 ? undefined : done / total);
  };
}

/** A reporter that is called for each row and looks at the clock only now and then. */
export function seldom(
  report: (progress: RowsProgress) => void,
  now: () => number,
): (progress: RowsProgress) => void {
  let nextMs = 0;
  let last: RowsProgress | null = null;
  return (progress) => {
    const isEnd = progress.inFlight === 0 && progress.done === progress.total;
    const isSame = last?.done === progress.done;
    if (isSame || (!isEnd && now() < nextMs)) return;
    last = progress;
    nextMs = now() + 100;
    report(progress);
  };
}

const rangeText = ({ low, high }: Range, text: (value: number) => string) =>
  low === high ? text(low) : `${text(low)} to ${text(high)}`;

/** The plan as a table. */
export function planText(plan: Plan): string {
  const rows = [
    ['rows', formatCount(plan.rows)],
    ['finished before', formatCount(plan.finished)],
    ['answers in the cache', formatCount(plan.cacheHits)],
    ['calls', formatCount(plan.calls)],
    ['tokens in', `about ${formatCount(plan.promptTokens)}`],
    ['tokens out', rangeText(plan.completionTokens, formatCount)],
    ['cost', plan.costUsd === null ? 'n/a' : rangeText(plan.costUsd, usdText)],
    ['time', `${rangeText(plan.seconds, formatDuration)} at ${plan.concurrency} at once`],
  ].map(([what, amount]) => ({ what, amount }));
  return table(rows, [
    { key: 'what', heading: 'plan' },
    { key: 'amount', heading: '' },
  ]);
}

/** What a run came to; null milliseconds where that is not known. */
export interface RunEnd extends Pick<RowsResult, 'counts' | 'dir' | 'usage'> {
  readonly milliseconds: number | null;
}

/** The end of a run as a table. */
export function resultText(
  { counts, usage, dir, milliseconds }: RunEnd,
  report: string | null,
): string {
  const statuses = Object.entries(counts.byStatus).map(([status, rows]) => ({ status, rows }));
  const failed =
    counts.failed === 0 ? [] : [{ status: 'failed, asked again', rows: counts.failed }];
  const { sentCalls, cachedCalls } = usage;
  return [
    table([...statuses, ...failed], ['status', 'rows']),
    ...costLines(usage),
    `calls   ${formatCount(sentCalls)} sent, ${formatCount(cachedCalls)} from the cache`,
    ...(milliseconds === null ? [] : [timeText(counts, milliseconds / 1000)]),
    ...damagedText(counts),
    `run     ${dir}`,
    ...(report === null ? [] : [`report  ${report}`]),
  ].join('\n');
}

function timeText({ finished, skipped }: RunEnd['counts'], seconds: number): string {
  const speed = seconds === 0 ? '' : `, ${formatCount((finished - skipped) / seconds)} rows/s`;
  return `time    ${formatDuration(seconds)}${speed}`;
}

/** What is said of lines that an earlier process left damaged; nothing where there are none. */
export function damagedText({ damaged }: Pick<RowsResult['counts'], 'damaged'>): string[] {
  if (damaged === undefined) return [];
  return [`damaged ${formatCounted(damaged, 'line')}, set aside in predictions.jsonl.bad`];
}

/** Of the reasons why rows failed so many are said; the page has all. */
const shownReasons = 3;

/** The code of pages, loaded by those who write one: it draws, and takes its time to load. */
export function loadPage(): Promise<typeof import('../exports/run-page.js')> {
  return import('../exports/run-page.js');
}

/**
 * Writes the page of a run, and says why rows failed; null, and a remark, where it cannot be
 * written: the run stands.
 */
export async function pageOfRun(context: CliContext, dir: string): Promise<string | null> {
  context.progress.update('writing the page');
  try {
    const { writePageOfRun } = await loadPage();
    const { path, digest } = await writePageOfRun(dir, await findRunInput(readRunRecord(dir)));
    context.progress.done();
    for (const { count, message } of digest.failures.slice(0, shownReasons)) {
      context.note(`failed  ${formatCounted(count, 'row')}: ${message}`);
    }
    return path;
  } catch (error) {
    if (!LabError.is(error)) throw error;
    context.note(`no page was written: ${error.message}`);
    return null;
  } finally {
    context.progress.done();
  }
}
