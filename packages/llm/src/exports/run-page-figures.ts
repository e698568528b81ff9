/**
 * The figures of a run's page.
 */
import { formatCount, formatDuration, formatPercent } from '@lab/core';
import { barPlot, type CaptionedFigure, histogram, linePlot } from '@lab/report';
import type { RunDigest } from './run-digest.js';
import type { TimelinePart } from './run-timeline.js';

/** The value below which so great a share of sorted values lies. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = Math.min(sorted.length - 1, Math.floor(share * sorted.length));
  return sorted[at] ?? Number.NaN;
}

/** Fewer rows than this make no distribution. */
const leastRows = 20;

/** How long rows took; null for too few. */
export function latencyFigure({ rowMilliseconds }: RunDigest): CaptionedFigure | null {
  if (rowMilliseconds.length < leastRows) return null;
  const sorted = rowMilliseconds.toSorted();
  const [median, most] = [quantile(sorted, 0.5), sorted.at(-1) ?? 0];
  // A few rows that waited long would press all others into one bin.
  const shown = Math.max(quantile(sorted, 0.99), 1);
  const isSeconds = shown >= 2000;
  const scale = isSeconds ? 1000 : 1;
  const figure = histogram({
    title: 'Time a row took',
    x: {
      label: 'time, waits and retries included',
      unit: isSeconds ? 's' : 'ms',
      domain: [0, (shown * 1.02) / scale],
    },
    series: [{ name: 'rows', values: rowMilliseconds.map((value) => value / scale) }],
  });
  const beyond = sorted.length - sorted.findLastIndex((value) => value <= shown * 1.02) - 1;
  const tail =
    beyond === 0
      ? ''
      : ` ${formatCount(beyond)} slower ones are not drawn; the slowest took ${time(most)}.`;
  const caption =
    `Half of ${formatCount(sorted.length)} rows that were sent took up to ${time(median)}, ` +
    `19 of 20 up to ${time(quantile(sorted, 0.95))}.${tail}`;
  return { figure, caption };
}

/** Milliseconds in words. */
export const time = (milliseconds: number): string => formatDuration(milliseconds / 1000);

/** Rows that ended and requests that were sent again, a second; null for a run of an instant. */
export function timelineFigure(parts: readonly TimelinePart[]): CaptionedFigure | null {
  const lengthOf = ({ rows, retries }: TimelinePart) =>
    Math.max(rows.length, ...Object.values(retries).map((counts) => counts.length));
  const intervals = parts.reduce((sum, part) => sum + lengthOf(part), 0);
  if (intervals < 3) return null;
  const names = [...new Set(parts.flatMap(({ retries }) => Object.keys(retries)))];
  const lineOf = (name: string, countsOf: (part: TimelinePart) => readonly number[]) => {
    let start = 0;
    const points = parts.flatMap((part) => {
      const counts = countsOf(part);
      const from = start;
      start += lengthOf(part) * part.seconds;
      return Array.from({ length: lengthOf(part) }, (_, index) => ({
        x: from + (index + 0.5) * part.seconds,
        y: (counts[index] ?? 0) / part.seconds,
      }));
    });
    return { name, points };
  };
  const figure = linePlot({
    title: 'Rows and repeated requests over time',
    x: { label: 'time of work', unit: 's', hasZero: true },
    y: { label: 'a second', hasZero: true },
    series: [
      lineOf('rows that ended', ({ rows }) => rows),
      ...names.map((name) => lineOf(name, ({ retries }) => retries[name] ?? [])),
    ],
  });
  const sums = names.map((name) => {
    const all = parts.flatMap(({ retries }) => retries[name] ?? []);
    return `${formatCount(all.reduce((sum, count) => sum + count, 0))} for ${name}`;
  });
  const again =
    sums.length === 0 ? 'No request was sent again.' : `Sent again: ${sums.join(', ')}.`;
  const processes =
    parts.length > 1
      ? ` ${parts.length} processes, one after the other; killed ones are absent.`
      : '';
  return { figure, caption: `${again}${processes}` };
}

/** How rows ended; null where all ended alike. */
export function statusFigure(
  { byStatus, finished, failed }: RunDigest,
  words: (status: string) => string,
): CaptionedFigure | null {
  const bars = [...byStatus].map(([status, value]) => ({ label: words(status), value }));
  if (failed > 0) bars.push({ label: 'failed, asked again on resume', value: failed });
  if (bars.length < 2) return null;
  const figure = barPlot({ title: 'How rows ended', value: { label: 'rows' }, bars });
  const share = formatPercent((byStatus.get('ok') ?? 0) / Math.max(1, finished + failed));
  return { figure, caption: `${share} of the rows that were asked have a whole answer.` };
}
