import { sha256, writeFileAtomic } from '@lab/core';
import { escapeHtml } from './escape.js';
import { htmlDocument } from './html.js';
import { pageScriptHash } from './page-script.js';
import { reviewScript, reviewScriptHash } from './review-script.js';
import { reviewStyle } from './review-style.js';
import type { WrittenPage } from './run-page.js';

/** One question of a review: are these two the same? */
export interface ReviewQuestion {
  /** Row of the CSV file without the decision. */
  readonly cells: readonly string[];
  /** Short names of the two, for the eye. */
  readonly source: string;
  readonly target: string;
  /** Whole names, and whatever else tells which things are meant. */
  readonly names: readonly { readonly label: string; readonly value: string }[];
  /** One line that says what speaks for the pair. */
  readonly why: string;
  readonly measures: readonly { readonly label: string; readonly value: string }[];
  /** Longer evidence, folded. */
  readonly evidence?: string | undefined;
  /** Names offered for "another one". */
  readonly others: readonly string[];
}

/** A decision that a page offers, and the key that takes it. */
export interface ReviewChoice {
  readonly value: string;
  readonly label: string;
  /** One sign; j, k and u have their meaning already. */
  readonly key: string;
}

/** A page on which pairs are decided. */
export interface ReviewPage {
  readonly title: string;
  /** What is asked, in one sentence. */
  readonly sentence: string;
  readonly eyebrow?: string | undefined;
  /** Headings of the CSV file without that of the decision. */
  readonly columns: readonly string[];
  /** Name of the file that is downloaded. */
  readonly fileName: string;
  /** What to do with that file: a command. */
  readonly command: string;
  readonly questions: readonly ReviewQuestion[];
  /** What is decided; default whether the two are the same, or which other one is meant. */
  readonly choices?:
    | { readonly legend: string; readonly options: readonly ReviewChoice[] }
    | undefined;
  /** Whether the seconds that each decision took become a column `seconds`. */
  readonly isTimed?: boolean | undefined;
}

/**
 * Writes a review page as one self-contained HTML file that works offline: each pair is decided by
 * radio buttons or keys, and the decisions come back as the CSV file with a column `decision`.
 *
 * Everything in `page` is taken as untrusted text and escaped.
 *
 * @throws {DataError} when the file cannot be written; an older file then stays whole.
 */
export function writeReviewPage(path: string, page: ReviewPage): WrittenPage {
  const html = reviewPageHtml(page);
  writeFileAtomic(path, html);
  return { path, bytes: Buffer.byteLength(html) };
}

/** The HTML of a review page, as {@link writeReviewPage} writes it. */
export function reviewPageHtml(page: ReviewPage): string {
  const { title, sentence, eyebrow, command, questions } = page;
  const body = [
    `<style>${reviewStyle}</style>`,
    `<header class="top">${eyebrow ? `<p class="eyebrow">${escapeHtml(eyebrow)}</p>` : ''}`,
    `<h1>${escapeHtml(title)}</h1><p class="lead">${escapeHtml(sentence)}</p>`,
    keysHtml(page),
    '<p>When you are done, download the decisions and run</p>',
    `<pre>${escapeHtml(command)}</pre></header>`,
    barHtml(questions.length),
    '<main id="main">',
    questions.length === 0 ? '<p>There is nothing to decide.</p>' : '',
    listHtml(page),
    '</main>',
    '<footer>Written by @lab/report. This file is complete: it loads nothing, and what you ',
    'decide stays in your browser until you download it.</footer>',
  ].join('\n');
  return withScript(htmlDocument({ title, body }));
}

/** The document with the review script behind its own, admitted by its hash. */
function withScript(html: string): string {
  const end = html.lastIndexOf('</body>');
  const admitted = `'${pageScriptHash}' '${reviewScriptHash}'`;
  return (
    html.slice(0, end).replace(`'${pageScriptHash}'`, () => admitted) +
    `<script>${reviewScript}</script>\n${html.slice(end)}`
  );
}

function keysHtml({ choices }: ReviewPage): string {
  const own =
    choices === undefined
      ? [
          ['y', 'yes'],
          ['n', 'no'],
          ['o', 'another one'],
        ]
      : choices.options.map(({ key, label }) => [key, label]);
  const keys = [...own, ['u', 'undecided'], ['j', 'next'], ['k', 'previous']];
  const items = keys.map(
    ([key = '', words = '']) => `<kbd>${escapeHtml(key)}</kbd> ${escapeHtml(words)}`,
  );
  return `<p class="keys" hidden>Keys: ${items.join(', ')}.</p>`;
}

/** The decision that each key takes. */
function keyTable({ choices }: ReviewPage): Record<string, string> {
  if (choices === undefined) return { y: 'yes', n: 'no', u: '' };
  return Object.fromEntries([...choices.options.map(({ key, value }) => [key, value]), ['u', '']]);
}

function barHtml(count: number): string {
  return (
    '<div class="bar" role="region" aria-label="Progress" hidden><div>' +
    `<progress max="${Math.max(1, count)}" value="0" aria-label="Decided"></progress>` +
    '<output aria-live="polite"></output>' +
    '<label><input type="checkbox"> only undecided</label>' +
    '<button type="button">Download decisions (CSV)</button></div></div>'
  );
}

function listHtml(page: ReviewPage): string {
  const { columns, fileName, questions, isTimed = false } = page;
  const added = isTimed ? ['decision', 'seconds'] : ['decision'];
  const data = [
    `data-columns="${escapeHtml(JSON.stringify([...columns, ...added]))}"`,
    `data-keys="${escapeHtml(JSON.stringify(keyTable(page)))}"`,
    ...(isTimed ? ['data-timed="yes"'] : []),
    `data-file="${escapeHtml(fileName)}"`,
    `data-key="${sha256(JSON.stringify(questions.map(({ cells }) => cells))).slice(0, 16)}"`,
  ];
  const items = questions.map((question, at) => questionHtml(question, at + 1, page));
  return `<ol class="review" ${data.join(' ')}>${items.join('\n')}</ol>`;
}

function questionHtml(question: ReviewQuestion, number: number, page: ReviewPage): string {
  const { cells, source, target, names, why, measures, evidence } = question;
  const rows = names.map(
    ({ label, value }) => `<dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd>`,
  );
  const values = measures.map(
    ({ label, value }) => `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd></div>`,
  );
  const block = `<pre tabindex="0">${escapeHtml(evidence ?? '')}</pre>`;
  const more =
    evidence === undefined ? '' : `<details><summary>Evidence</summary>${block}</details>`;
  return (
    `<li data-cells="${escapeHtml(JSON.stringify(cells))}">` +
    `<h3 id="pair-${number}"><span class="number">${number}</span> ` +
    `<span>${escapeHtml(source)}</span>${targetHtml(target)}</h3>` +
    `<dl class="names">${rows.join('')}</dl>` +
    `<p class="why">${escapeHtml(why)}</p><dl class="measures">${values.join('')}</dl>` +
    `${more}${decideHtml(question, number, page)}</li>`
  );
}

const targetHtml = (target: string): string =>
  target === '' ? '' : ` <span class="equals">=</span> <span>${escapeHtml(target)}</span>`;

/** Radio buttons; they appear where scripts run. */
function decideHtml({ others }: ReviewQuestion, number: number, { choices }: ReviewPage): string {
  const radio = (value: string, label: string, rest = '') =>
    `<label><input type="radio" name="decision-${number}" value="${escapeHtml(value)}"${rest}> ` +
    `${escapeHtml(label)}</label>`;
  const options = others.map((name) => `<option value="${escapeHtml(name)}"></option>`);
  const same = [
    radio('yes', 'yes'),
    radio('no', 'no'),
    radio('other', 'another one:'),
    `<input type="text" list="others-${number}" aria-label="Name of the other target" `,
    `placeholder="name of the target" autocomplete="off" spellcheck="false">`,
    `<datalist id="others-${number}">${options.join('')}</datalist>`,
  ];
  return [
    `<fieldset class="decide" aria-describedby="pair-${number}" hidden>`,
    `<legend>${escapeHtml(choices?.legend ?? 'The same?')}</legend>`,
    ...(choices?.options.map(({ value, label }) => radio(value, label)) ?? same),
    radio('', 'undecided', ' checked'),
    '</fieldset>',
  ].join('');
}
