import { formatCount } from '@lab/core';
import { escapeHtml } from './escape.js';
import { filterHtml, untrustedCellHtml } from './html.js';
import {
  bestRows,
  cellText,
  type CellValue,
  type Column,
  isNumeric,
  missingText,
  numberText,
  richCell,
  type Table,
} from './table.js';
import { isBetterStacked } from './table-width.js';

/** How a table stands on its page. */
export interface HtmlTableOptions {
  /**
   * On narrow screens each row becomes a block of its own instead of scrolling sideways; default
   * where the columns have no room there and the rows are not too many.
   */
  readonly isStacked?: boolean;
}

/** The table as HTML in its own scrolling box; columns sort by a click where scripts run. */
export function htmlTable(
  table: Table,
  { isStacked = isBetterStacked(table) }: HtmlTableOptions = {},
): string {
  const best = table.columns.map((column) => bestRows(table, column));
  const head = table.columns
    .map((column) => `<th scope="col"${classOf(column)}>${escapeHtml(column.label)}</th>`)
    .join('');
  const body = table.rows.map((row, rowIndex) => {
    const cells = table.columns.map((column, index) => {
      const isBest = best[index]!.has(rowIndex);
      return htmlCell(column, row[column.key], { isBest, isHeading: index === 0 });
    });
    return `<tr${rowIndex === table.highlightRow ? ' class="ours"' : ''}>${cells.join('')}</tr>`;
  });
  const name = escapeHtml(table.caption ?? 'Table');
  const caption = table.caption ? `<caption>${name}</caption>` : '';
  const box =
    `<div class="scroll" role="region" tabindex="0" aria-label="${name}">` +
    `<table class="data${isStacked ? ' stack' : ''}">` +
    `${caption}<thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
  if (table.pageRows === undefined) return box;
  return `<div>${filterHtml()}${box}${pagesHtml(table.pageRows)}</div>`;
}

/** Buttons to turn pages; hidden until the script runs. */
function pagesHtml(rows: number): string {
  const button = (step: number, label: string) =>
    `<button type="button" data-step="${step}">${label}</button>`;
  return (
    `<div class="pages" data-rows="${rows}" hidden>${button(-1, 'Previous')}` +
    `<output aria-live="polite"></output>${button(1, 'Next')}</div>`
  );
}

function classOf(column: Column): string {
  if (column.kind === 'block') return ' class="block"';
  return isNumeric(column) ? ' class="number"' : '';
}

/** A code of so many characters, such as a status, is not broken over lines. */
const SHORT_CODE = 16;

function kindHtml({ kind }: Column, text: string, value: string | number): string {
  if (kind === 'block') return untrustedCellHtml(String(value));
  if (text === '') return text;
  if (kind === undefined || kind === 'text') return `<span class="words">${text}</span>`;
  if (kind !== 'code') return text;
  return String(value).length <= SHORT_CODE
    ? `<code class="short">${text}</code>`
    : `<code>${text}</code>`;
}

function htmlCell(
  column: Column,
  cell: CellValue,
  { isBest, isHeading }: { isBest: boolean; isHeading: boolean },
): string {
  const { value, note, low, high, n } = richCell(cell);
  const text = escapeHtml(cellText(column, cell));
  const isMissing = value === null || (typeof value === 'number' && Number.isNaN(value));
  const shown = isMissing
    ? `<span class="missing">${escapeHtml(note ?? missingText)}</span>`
    : kindHtml(column, text, value);
  const marked = isBest
    ? `<strong>${shown}<span title="best in this column"> ★</span></strong>`
    : shown;
  const hasInterval = low !== undefined && high !== undefined;
  const ends = hasInterval ? [low, high].map((end) => numberText(column, end)) : [];
  const interval = hasInterval ? `<small class="interval">95 %: ${ends.join(' to ')}</small>` : '';
  const remarks = [
    n !== undefined && n > 1 ? `n = ${formatCount(n)}` : undefined,
    isMissing ? undefined : note,
  ].filter((part) => part !== undefined);
  const small = remarks.map((part) => `<small>${escapeHtml(part)}</small>`).join('');
  const sortKey = typeof value === 'number' ? ` data-value="${value}"` : '';
  const [tag, scope] = isHeading ? ['th', ' scope="row"'] : ['td', ''];
  // A number that names its row says nothing without the heading of its column.
  const isNamed = isHeading && !isNumeric(column);
  const label = isNamed ? '' : ` data-label="${escapeHtml(column.label)}"`;
  const attributes = `${scope}${classOf(column)}${label}${sortKey}`;
  return `<${tag}${attributes}>${marked}${interval}${small}</${tag}>`;
}
