import { formatShare, writeFileAtomic } from '@lab/core';
import { type ComparedMetric, metricValues, type RunComparison } from './compare.js';
import { curvesHtml } from './compare-curves.js';
import { escapeHtml, proseHtml } from './escape.js';
import { forestPlot } from './forest-plot.js';
import { contentsHtml, figureHtml, htmlDocument, sectionHtml } from './html.js';
import { isShareMetric, metricLabel } from './metric-label.js';
import type { RunGroup } from './run-groups.js';
import type { WrittenPage } from './run-page.js';
import { htmlTable } from './html-table.js';
import { type CellValue, cellText, type Column, meanCell, type Table } from './table.js';

/**
 * Writes the comparison of runs as one self-contained HTML file and returns its size.
 *
 * @throws {DataError} when the file cannot be written; an older file then stays whole.
 */
export function writeComparisonPage(path: string, comparison: RunComparison): WrittenPage {
  const html = comparisonPageHtml(comparison);
  writeFileAtomic(path, html);
  return { path, bytes: Buffer.byteLength(html) };
}

/** The HTML of a comparison page, as `writeComparisonPage` writes it. */
export function comparisonPageHtml(comparison: RunComparison): string {
  const { groups, warnings } = comparison;
  const runCount = groups.reduce((sum, { runs }) => sum + runs.length, 0);
  const title = runCount === 1 ? 'One run' : `${runCount} runs compared`;
  const parts = [
    {
      heading: 'Results',
      body: htmlTable(resultTable(comparison), { isStacked: true }) + differenceFigures(comparison),
    },
    { heading: 'Settings that differ', body: settingsBody(comparison) },
    ...(comparison.samples.length > 0
      ? [{ heading: 'Sample by sample', body: samplesBody(comparison) }]
      : []),
    { heading: 'Curves', body: curvesHtml(groups) },
    { heading: 'Runs', body: htmlTable(runsTable(comparison), { isStacked: true }) },
    { heading: 'Warnings', body: warningsBody(warnings) },
  ];
  const body = [
    `<header class="top"><h1>${title}</h1>`,
    `<p class="lead">${proseHtml(comparisonSentence(comparison))}</p></header>`,
    '<main id="main">',
    contentsHtml(parts.map(({ heading }) => heading)),
    ...parts.map((part) => sectionHtml(part.heading, part.body)),
    '</main>',
    '<footer>Written by @lab/report. This file is complete: it loads nothing.</footer>',
  ].join('\n');
  return htmlDocument({ title, body });
}

/** The result of a comparison in one sentence: the best group in the first metric, and how sure. */
export function comparisonSentence(comparison: RunComparison): string {
  const { groups, metrics, differences, testSets } = comparison;
  const metric = metrics[0];
  if (!metric) return 'None of the runs has results yet.';
  const column = metricColumn(metric);
  const own = differences.filter(({ metric: key }) => key === metric.key);
  const bestIndex = own[0]?.best ?? groups.findIndex((group) => hasMetric(group, metric.key));
  const best = groups[bestIndex]!;
  const value = cellText(column, meanCell(metricValues(best, metric.key)));
  if (groups.length === 1) return `${column.label}: ${value}.`;
  if (testSets.length > 1) return setsSentence(comparison);
  const start = `Best in ${column.label}: ${best.label} with ${value}`;
  const second = own.reduce<(typeof own)[number] | undefined>(
    (near, item) => (near && Math.abs(near.difference) <= Math.abs(item.difference) ? near : item),
    undefined,
  );
  if (!second) return `${start}.`;
  const lead = cellText(column, Math.abs(second.difference));
  const verdict = second.test
    ? `${formatP(second.test.pValue)} after adjustment`
    : 'not tested: at least two seeds of each are needed';
  return `${start}, ${lead} from ${groups[second.group]!.label} (${verdict}).`;
}

/** The best of each test set: between them nothing is better. */
function setsSentence({ groups, metrics, differences, testSets }: RunComparison): string {
  const metric = metrics[0]!;
  const column = metricColumn(metric);
  const parts = testSets.flatMap(({ label, data }, testSet) => {
    const own = groups.filter((group) => group.testSet === testSet && hasMetric(group, metric.key));
    const found = differences.find(
      (item) => item.metric === metric.key && groups[item.group]!.testSet === testSet,
    );
    const best = found === undefined ? own[0] : groups[found.best];
    if (best === undefined) return [];
    const value = cellText(column, meanCell(metricValues(best, metric.key)));
    const name = withoutData(best.label, data);
    return [`on ${label} ${own.length > 1 ? `best ${name} with ` : ''}${value}`];
  });
  const why = 'Different data, samples or candidates are not compared with each other';
  return `${column.label} ${parts.join('; ')}. ${why}.`;
}

/** The name of a group where its data are said already. */
function withoutData(label: string, data: string): string {
  const end = ` on ${data}`;
  return label.endsWith(end) ? label.slice(0, -end.length) : label;
}

function hasMetric(group: RunGroup, key: string): boolean {
  return metricValues(group, key).length > 0;
}

function metricColumn({ key, best }: ComparedMetric): Column {
  const kind = isShareMetric(key) ? 'share' : 'number';
  return { key, label: metricLabel(key), kind, best };
}

/** A p-value as people print it: "p = .010", "p < .001". */
export function formatP(pValue: number): string {
  return pValue < 0.001 ? 'p < .001' : `p = ${formatShare(pValue)}`;
}

/** Mean and deviation of each group in each metric, with the tested difference from the best. */
export function resultTable({ groups, metrics, differences, testSets }: RunComparison): Table {
  const isOneSet = testSets.length === 1;
  const columns = metrics
    .map(metricColumn)
    .map(({ best, ...column }) => (isOneSet ? { ...column, best: best! } : column));
  const isAlone = ({ testSet }: RunGroup) =>
    !isOneSet && groups.filter((other) => other.testSet === testSet).length === 1;
  const rows = groups.map((group, index) => {
    const cells = columns.map((column): [string, CellValue] => {
      const found = differences.find(
        ({ metric, group: place }) => metric === column.key && place === index,
      );
      const cell = meanCell(metricValues(group, column.key));
      if (!found)
        return [column.key, isAlone(group) ? { ...cell, note: 'nothing to compare with' } : cell];
      const sign = found.difference < 0 ? '−' : '+';
      const amount = cellText({ ...column }, Math.abs(found.difference));
      const verdict = found.test ? formatP(found.test.pValue) : 'not tested';
      return [column.key, { ...cell, note: `${sign}${amount} to best, ${verdict}` }];
    });
    return { group: group.label, ...Object.fromEntries(cells) };
  });
  return {
    caption: isOneSet
      ? 'Mean ± standard deviation over n seeds; ★ best. Differences by Welch’s test, adjusted.'
      : 'Mean ± deviation over n seeds. Differences on the same data by Welch’s test, adjusted.',
    columns: [{ key: 'group', label: 'Settings' }, ...columns],
    rows,
  };
}

/** A figure for each test set with tested differences. */
function differenceFigures(comparison: RunComparison): string {
  return comparison.testSets.map((_, testSet) => differenceFigure(comparison, testSet)).join('');
}

function differenceFigure(
  { groups, metrics, differences }: RunComparison,
  testSet: number,
): string {
  const metric = metrics[0];
  const own = differences.filter(
    (item) => item.metric === metric?.key && groups[item.group]!.testSet === testSet,
  );
  const rows = own.flatMap(({ group, difference, test }) =>
    test
      ? [{ label: groups[group]!.label, estimate: difference, low: test.low, high: test.high }]
      : [],
  );
  if (!metric || rows.length === 0) return '';
  const best = groups[own[0]!.best]!;
  const { kind, label } = metricColumn(metric);
  const figure = forestPlot({
    title: `Difference from ${best.label}`,
    value: { label: `difference in ${label}`, format: kind === 'share' ? 'share' : 'number' },
    rows,
  });
  return figureHtml({ figure, caption: 'Filled dots: the 95 % interval excludes no difference.' });
}

function settingsBody({ groups, differing }: RunComparison): string {
  if (differing.length === 0) {
    return '<p>None; runs that differ in their seed alone are one group.</p>';
  }
  const rows = differing.map((path) => {
    const cells = groups.map(({ settings }, index) => [`g${index}`, settings[path]]);
    return { path, ...Object.fromEntries(cells) };
  });
  const columns = groups.map(({ label }, index): Column => {
    return { key: `g${index}`, label, kind: 'code' };
  });
  return htmlTable({
    caption: 'One row a setting, one column a group of runs; equal settings are left out.',
    columns: [{ key: 'path', label: 'Setting', kind: 'code' }, ...columns],
    rows,
  });
}

/** A figure and a table for each run that others are compared with. */
function samplesBody({ samples }: RunComparison): string {
  const references = [...new Set(samples.map(({ reference }) => reference))];
  return references
    .map((name) => samplesAgainst(samples.filter(({ reference }) => reference === name)))
    .join('');
}

function samplesAgainst(samples: RunComparison['samples']): string {
  const { reference, kind } = samples[0]!;
  const format = kind === 'score' ? 'number' : 'share';
  const figure = forestPlot({
    title: `Mean ${kind} against ${reference}`,
    value: { label: `difference in ${kind}`, format },
    rows: samples.map(({ run, estimate, low, high }) => ({ label: run, estimate, low, high })),
  });
  const ofMissing = kind === 'reciprocal rank' ? 'What was not found counts 0. ' : '';
  const caption =
    `The same samples, resampled in pairs; filled dots exclude no difference. ${ofMissing}`.trim();
  const table: Table = {
    columns: [
      { key: 'run', label: 'Run' },
      { key: 'count', label: 'Samples', kind: 'count' },
      { key: 'estimate', label: 'Difference', kind: format },
      { key: 'p', label: 'Test' },
    ],
    rows: samples.map(({ run, count, estimate, low, high, pValue }) => ({
      run,
      count,
      estimate: { value: estimate, low, high },
      p: formatP(pValue),
    })),
  };
  return figureHtml({ figure, caption }) + htmlTable(table);
}

function runsTable({ groups }: RunComparison): Table {
  return {
    caption: 'Folders, in the order given within each group',
    columns: [
      { key: 'name', label: 'Run', kind: 'code' },
      { key: 'group', label: 'Settings' },
      { key: 'seed', label: 'Seed' },
      { key: 'status', label: 'Status' },
      { key: 'command', label: 'Command', kind: 'code' },
    ],
    rows: groups.flatMap(({ label, runs }) =>
      runs.map(({ name, record }) => ({
        name,
        group: label,
        seed: String(record.seed),
        status: record.status,
        command: record.command.join(' '),
      })),
    ),
  };
}

function warningsBody(warnings: readonly string[]): string {
  if (warnings.length === 0) return '<p>None: same data, same versions, all runs complete.</p>';
  return `<ul class="warnings">${warnings
    .map((warning) => `<li>${escapeHtml(warning)}</li>`)
    .join('')}</ul>`;
}
