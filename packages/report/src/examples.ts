import { escapeHtml, proseHtml } from './escape.js';
import { filterHtml, untrustedHtml } from './html.js';
import type { Example, ExampleSet } from './page.js';

/** Examples, right and wrong side by side, with a box that filters them where scripts run. */
export function examplesHtml(set: ExampleSet): string {
  const text = set.text ? `<p>${proseHtml(set.text)}</p>` : '';
  const columns = (['right', 'wrong'] as const).flatMap((verdict) => {
    const items = set.items.filter((example) => example.verdict === verdict);
    if (items.length === 0) return [];
    const heading = verdict === 'right' ? 'Right' : 'Wrong';
    return [
      `<div class="${verdict}"><h3>${heading} (${items.length})</h3>` +
        `<ol>${items.map(exampleHtml).join('')}</ol></div>`,
    ];
  });
  if (columns.length === 0) return `${text}<p>No examples were kept.</p>`;
  return `<div>${text}${filterHtml()}` + `<div class="examples">${columns.join('')}</div></div>`;
}

function exampleHtml({ verdict, title, facts, text }: Example): string {
  const rows = facts.map(
    ({ label, value }) => `<dt>${escapeHtml(label)}</dt><dd>${escapeHtml(value)}</dd>`,
  );
  const sign = verdict === 'right' ? '✓' : '✗';
  return (
    `<li><span class="verdict" role="img" aria-label="${verdict}">${sign}</span> ` +
    `<strong>${escapeHtml(title)}</strong>` +
    `${rows.length > 0 ? `<dl>${rows.join('')}</dl>` : ''}` +
    `${text === undefined ? '' : untrustedHtml(text)}</li>`
  );
}
