import { formatNumber, formatShare, writeFileAtomic } from '@lab/core';
import { comparisonTable } from './comparison.js';
import { escapeHtml, proseHtml } from './escape.js';
import { examplesHtml } from './examples.js';
import {
  type CaptionedFigure,
  contentsHtml,
  figureHtml,
  htmlDocument,
  sectionHtml,
  untrustedHtml,
} from './html.js';
import type { BigNumber, RunPage, Section, SettingRow, TextBlock } from './page.js';
import { htmlTable } from './html-table.js';
import type { Table } from './table.js';

/** A page stays below this many bytes; data links are left out before it grows beyond. */
export const pageLimitBytes = 2_000_000;

/** What was written. */
export interface WrittenPage {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Writes the page of a run as one self-contained HTML file and returns its size.
 *
 * Everything in `page` is taken as untrusted text and escaped. Where the data links would make
 * the page larger than `pageLimitBytes`, the largest are left out and the page says so.
 *
 * @throws {DataError} when the file cannot be written; an older file then stays whole.
 */
export function writeRunPage(path: string, page: RunPage): WrittenPage {
  const html = runPageHtml(page);
  writeFileAtomic(path, html);
  return { path, bytes: Buffer.byteLength(html) };
}

/** The HTML of a run page, as `writeRunPage` writes it. */
export function runPageHtml(page: RunPage): string {
  const heavy = figuresOf(page)
    .map(({ figure }) => ({ figure, bytes: encodeURIComponent(figure.csv).length }))
    .sort((left, right) => left.bytes - right.bytes);
  const leftOut = new Set<string>();
  for (;;) {
    const html = htmlDocument({ title: page.title, body: pageBody(page, leftOut) });
    const next = heavy.pop();
    if (Buffer.byteLength(html) <= pageLimitBytes || next === undefined) return html;
    leftOut.add(next.figure.title);
  }
}

function figuresOf(page: RunPage): CaptionedFigure[] {
  const main = page.mainFigure ? [page.mainFigure] : [];
  return [...main, ...page.sections.flatMap(({ figures }) => figures ?? [])];
}

interface Part {
  readonly heading: string;
  readonly body: string;
}

function pageBody(page: RunPage, leftOut: ReadonlySet<string>): string {
  const draw = (figure: CaptionedFigure) =>
    figureHtml(figure, {
      withoutData: leftOut.has(figure.figure.title)
        ? 'Its data is left out to keep this page small; see metrics.jsonl.'
        : undefined,
    });
  const parts = [...resultParts(page, draw), ...recordParts(page)];
  const eyebrow = page.eyebrow ? `<p class="eyebrow">${escapeHtml(page.eyebrow)}</p>` : '';
  const main = page.mainFigure ? draw(page.mainFigure) : '';
  return [
    `<header class="top">${eyebrow}<h1>${escapeHtml(page.title)}</h1>`,
    `<p class="lead">${proseHtml(page.sentence)}</p></header>`,
    '<main id="main">',
    numbersHtml(page.numbers),
    main,
    contentsHtml(parts.map(({ heading }) => heading)),
    ...parts.map(({ heading, body }) => sectionHtml(heading, body)),
    '</main>',
    '<footer>Written by @lab/report. This file is complete: it loads nothing.</footer>',
  ].join('\n');
}

function resultParts(page: RunPage, draw: (figure: CaptionedFigure) => string): Part[] {
  const parts: Part[] = [];
  if (page.comparison) {
    const table = comparisonTable(page.comparison);
    const body = paragraph(page.comparison.text) + htmlTable(table, { isStacked: true });
    parts.push({ heading: 'Comparison', body });
  }
  for (const section of page.sections) {
    parts.push({ heading: section.heading, body: sectionBody(section, draw) });
  }
  if (page.examples) parts.push({ heading: 'Examples', body: examplesHtml(page.examples) });
  return parts;
}

function recordParts(page: RunPage): Part[] {
  const warnings =
    page.warnings.length === 0
      ? '<p>None occurred.</p>'
      : `<ul class="warnings">${page.warnings
          .map((warning) => `<li>${escapeHtml(warning)}</li>`)
          .join('')}</ul>`;
  return [
    ...(page.cost.length > 0 ? [{ heading: 'Cost', body: factsHtml(page.cost) }] : []),
    ...(page.settings.length > 0
      ? [{ heading: 'Settings', body: settingsHtml(page.settings) }]
      : []),
    { heading: 'Data files', body: filesHtml(page) },
    { heading: 'Reproduce', body: reproduceHtml(page) },
    { heading: 'Warnings', body: warnings },
  ];
}

function numbersHtml(numbers: readonly BigNumber[]): string {
  const write = (value: number) =>
    value >= 0 && value <= 1 ? formatShare(value) : formatNumber(value);
  const items = numbers.map(({ label, value, interval, reference }) => {
    const range =
      typeof interval === 'object'
        ? `95 %: ${write(interval.low)} to ${write(interval.high)}`
        : interval;
    const small = [range, reference].filter((line) => line !== undefined);
    return (
      `<div><dt>${escapeHtml(label)}</dt>` +
      `<dd class="value">${escapeHtml(typeof value === 'number' ? write(value) : value)}</dd>` +
      `${small.map((line) => `<dd>${escapeHtml(line)}</dd>`).join('')}</div>`
    );
  });
  return `<dl class="numbers">${items.join('')}</dl>`;
}

function sectionBody(section: Section, draw: (figure: CaptionedFigure) => string): string {
  const { blocks = [], figures = [], table } = section;
  return [
    paragraph(section.text),
    ...blocks.map(blockHtml),
    ...figures.map(draw),
    table ? htmlTable(table) : '',
    section.examples ? examplesHtml(section.examples) : '',
  ].join('');
}

function blockHtml({ label, text }: TextBlock): string {
  return `<h3>${escapeHtml(label)}</h3>${untrustedHtml(text)}`;
}

function paragraph(text: string | undefined): string {
  return text ? `<p>${proseHtml(text)}</p>` : '';
}

/** Labels and values side by side. */
export function factsHtml(facts: readonly { label: string; value: string }[]): string {
  const items = facts.map(
    ({ label, value }) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd></div>`,
  );
  return `<dl class="facts">${items.join('')}</dl>`;
}

/** Up to here a list of defaults is shown whole. */
const SHOWN_SETTINGS = 12;

function settingsHtml(settings: readonly SettingRow[]): string {
  const chosen = settings.filter(({ origin }) => origin !== 'default');
  if (settings.length <= SHOWN_SETTINGS) return settingsTable('All settings', settings);
  const words =
    chosen.length === 0
      ? '<p>Every setting has its default.</p>'
      : settingsTable('Settings that are not the default', chosen);
  const all = settingsTable('All settings', settings);
  return `${words}<details><summary>All ${settings.length} settings</summary>${all}</details>`;
}

function settingsTable(caption: string, settings: readonly SettingRow[]): string {
  const table: Table = {
    caption,
    columns: [
      { key: 'path', label: 'Setting', kind: 'code' },
      { key: 'value', label: 'Value', kind: 'code' },
      { key: 'origin', label: 'Origin' },
    ],
    rows: settings.map(({ path, value, origin }) => ({ path, value: settingText(value), origin })),
  };
  return htmlTable(table, { isStacked: true });
}

/** A setting's value as it is written in a config file. */
export function settingText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'not set');
}

function filesHtml({ files }: RunPage): string {
  if (files.length === 0) return '<p>The run read no files.</p>';
  const table: Table = {
    caption: 'Files that were read',
    columns: [
      { key: 'path', label: 'File', kind: 'code' },
      { key: 'bytes', label: 'Bytes', kind: 'count' },
      { key: 'sha256', label: 'SHA-256', kind: 'code' },
    ],
    rows: files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
  };
  return htmlTable(table, { isStacked: true });
}

function reproduceHtml({ command, environment = [] }: RunPage): string {
  return [
    `<pre id="command">${escapeHtml(command)}</pre>`,
    '<button type="button" class="copy" data-source="command" aria-live="polite" hidden>',
    'Copy command</button>',
    environment.length > 0 ? factsHtml(environment) : '',
  ].join('');
}
