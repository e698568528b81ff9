import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatDuration, formatShare, LabError } from '@lab/core';
import { escapeHtml } from './escape.js';
import { htmlDocument } from './html.js';
import { metricLabel } from './metric-label.js';
import { readRunFolder } from './run-folder.js';

/** Names of the run folders in a folder, newest first as their names begin with the time. */
export function runNames(root: string): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, entry.name, 'run.json')))
    .map(({ name }) => name)
    .sort()
    .reverse();
}

/** The index of a folder of runs: a table with links, and ticks to compare runs. */
export function runIndexHtml(root: string): string {
  const names = runNames(root);
  const body =
    names.length === 0
      ? '<p>No run folders here yet. Reload this page when the first has started.</p>'
      : `<form action="/compare" method="get">${indexTable(root, names)}` +
        '<p><button class="copy" type="submit">Compare ticked runs</button></p></form>';
  return htmlDocument({
    title: 'Runs',
    hasForms: true,
    body:
      `<header class="top"><h1>Runs</h1><p class="lead">${names.length} in ` +
      `<code>${escapeHtml(root)}</code>, newest first.</p></header>` +
      `<main id="main">${body}</main><footer>Served on this machine only.</footer>`,
  });
}

const HEADINGS = ['Run', 'Method', 'Label', 'Status', 'Seed', 'Result', 'Time'];

function indexTable(root: string, names: readonly string[]): string {
  const head = HEADINGS.map((heading) => `<th scope="col">${heading}</th>`).join('');
  const rows = names.map((name) => {
    const cells = indexCells(root, name).map((text) => `<td>${escapeHtml(text)}</td>`);
    return `<tr><th scope="row">${runPicker(root, name)}</th>${cells.join('')}</tr>`;
  });
  return (
    '<div class="scroll" role="region" tabindex="0" aria-label="Runs"><table class="data">' +
    `<thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
  );
}

function runPicker(root: string, name: string): string {
  const hasReport = existsSync(join(root, name, 'report.html'));
  const target = `/${encodeURIComponent(name)}/${hasReport ? 'report.html' : 'run.json'}`;
  const safe = escapeHtml(name);
  return (
    `<input type="checkbox" name="run" value="${safe}" aria-label="compare ${safe}"> ` +
    `<a href="${escapeHtml(target)}">${safe}</a>`
  );
}

function indexCells(root: string, name: string): string[] {
  try {
    const { record, results } = readRunFolder(join(root, name));
    const numbers = Object.entries(results);
    const main = numbers.find(([key]) => key.endsWith('hits@1')) ?? numbers[0];
    const seconds = (Date.parse(record.end ?? '') - Date.parse(record.start)) / 1000;
    return [
      record.method,
      record.label,
      record.status,
      String(record.seed),
      main ? `${metricLabel(main[0])} ${formatShare(main[1])}` : 'none yet',
      Number.isFinite(seconds) ? formatDuration(seconds) : 'not ended',
    ];
  } catch (error) {
    if (!LabError.is(error)) throw error;
    return ['', '', 'unreadable', '', error.message, ''];
  }
}
