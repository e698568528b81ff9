import { escapeHtml, proseHtml } from './escape.js';
import type { Figure } from './figure.js';
import { pageScript, pageScriptHash } from './page-script.js';
import { pageStyle } from './page-style.js';

/** What every page of the house is built from. */
export interface HtmlDocument {
  readonly title: string;
  /** Content of the body: HTML that is already escaped. */
  readonly body: string;
  /** Whether its forms may ask the server it came from; default no. */
  readonly hasForms?: boolean;
}

/**
 * A complete, self-contained HTML document: no request can leave it.
 *
 * Its content security policy admits the inline style, the one script by its hash and data URIs.
 */
export function htmlDocument({ title, body, hasForms = false }: HtmlDocument): string {
  const policy = [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    `script-src '${pageScriptHash}'`,
    'img-src data:',
    `form-action ${hasForms ? "'self'" : "'none'"}`,
    "base-uri 'none'",
  ].join('; ');
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<link rel="icon" href="data:,">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${pageStyle()}</style>`,
    '</head>',
    '<body>',
    '<a class="skip" href="#main">Skip to the content</a>',
    body,
    `<script>${pageScript}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

/** A figure with its caption: what to see, and the data to take along. */
export interface CaptionedFigure {
  readonly figure: Figure;
  /** One sentence that says what to see. */
  readonly caption: string;
}

/** How a figure stands on its page. */
export interface FigureOptions {
  /** Among many of its kind: the title is small and nothing stands above it. */
  readonly isSmall?: boolean;
  /** Leave the data link out; the reason is printed instead. */
  readonly withoutData?: string | undefined;
}

/** The HTML of a figure: title, picture for each width, caption, data as a CSV link. */
export function figureHtml(
  { figure, caption }: CaptionedFigure,
  { isSmall = false, withoutData }: FigureOptions = {},
): string {
  const name = fileName(figure.title);
  const href = `data:text/csv;charset=utf-8,${encodeURIComponent(figure.csv)}`;
  const link = withoutData
    ? `<span>${escapeHtml(withoutData)}</span>`
    : `<a download="${name}.csv" href="${escapeHtml(href)}" aria-label="Data of “${escapeHtml(
        figure.title,
      )}” as CSV">data (CSV)</a>`;
  const words = caption === '' ? '' : `${proseHtml(caption)} `;
  const lines = figure.pointerLabel ? ` data-lines="${escapeHtml(figure.pointerLabel)}"` : '';
  const classes = [
    ...(isSmall ? [] : ['beside']),
    ...(isSmall || isSmallPicture(figure) ? ['small'] : []),
  ];
  return (
    `<figure class="${classes.join(' ')}"${lines}><h3>${escapeHtml(figure.title)}</h3>` +
    `<div class="wide">${figure.svg}</div><div class="narrow">${figure.narrowSvg}</div>` +
    `<figcaption>${words}${link}</figcaption></figure>`
  );
}

function isSmallPicture(figure: Figure): boolean {
  return Number(/viewBox="0 0 (\d+)/.exec(figure.svg)?.[1] ?? 0) <= 480;
}

/** A name for a downloaded file: letters, digits and hyphens of the title. */
export function fileName(title: string): string {
  const name = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'data' : name;
}

/** The words of a heading as an anchor. */
export function anchorOf(heading: string): string {
  return fileName(heading);
}

/** A section with its heading; `body` is HTML that is already escaped. */
export function sectionHtml(heading: string, body: string): string {
  const anchor = anchorOf(heading);
  return (
    `<section id="${anchor}" aria-labelledby="${anchor}-heading">` +
    `<h2 id="${anchor}-heading">${escapeHtml(heading)}</h2>${body}</section>`
  );
}

/** Links to the sections of a page. */
export function contentsHtml(headings: readonly string[]): string {
  const links = headings.map(
    (heading) => `<li><a href="#${anchorOf(heading)}">${escapeHtml(heading)}</a></li>`,
  );
  return `<nav class="contents" aria-label="Sections"><ul>${links.join('')}</ul></nav>`;
}

/** Lines longer than this are folded. */
const FOLDED_LENGTH = 600;

/** Text from elsewhere (documents, model output): escaped, monospace, folded when long. */
export function untrustedHtml(text: string, label = 'whole text'): string {
  const block = `<pre>${escapeHtml(text)}</pre>`;
  if (text.length <= FOLDED_LENGTH) return block;
  const size = `${text.length.toLocaleString('en-US')} characters`;
  return `<details><summary>${escapeHtml(label)}, ${size}</summary>${block}</details>`;
}

/** Of a text in a cell so much is shown at once. */
const CELL_LENGTH = 280;
const CELL_LINES = 6;

/** Text from elsewhere in a table: its beginning, and the whole of a long one folded. */
export function untrustedCellHtml(text: string): string {
  const lines = text.split('\n', CELL_LINES).join('\n').slice(0, CELL_LENGTH);
  const start = lines.replace(/[\ud800-\udbff]$/u, '');
  if (start.length === text.length) return `<pre>${escapeHtml(text)}</pre>`;
  const size = `${text.length.toLocaleString('en-US')} characters`;
  return (
    `<pre>${escapeHtml(start.trimEnd())} …</pre>` +
    `<details><summary>all ${size}</summary><pre>${escapeHtml(text)}</pre></details>`
  );
}

/** A box that filters what stands beside it; hidden until the script runs. */
export function filterHtml(): string {
  return (
    '<div class="filter" role="search" hidden><label>Filter <input type="search" ' +
    'autocomplete="off" spellcheck="false"></label><output aria-live="polite"></output></div>'
  );
}
