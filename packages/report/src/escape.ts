const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** The text as it may stand in HTML or SVG content and in quoted attributes. */
export function escapeHtml(text: unknown): string {
  return withoutControls(String(text)).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** Sentences of ours as HTML: escaped, and no line begins with the sign of `61.2 %`. */
export function proseHtml(text: string): string {
  return escapeHtml(text).replace(/(\d) %/g, '$1\u00A0%');
}

/** The text with characters that XML forbids replaced by U+FFFD: they would end an SVG file. */
export function withoutControls(text: string): string {
  return text.replace(/[^\P{Cc}\t\n\r]|[\uFFFE\uFFFF]|\p{Surrogate}/gu, '\uFFFD');
}

/** The text as one cell of a CSV line, quoted when it must be; formulas are made harmless. */
export function escapeCsv(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The CSV text of a header and its rows, lines ended by CRLF as RFC 4180 has it. */
export function csvText(
  header: readonly string[],
  rows: Iterable<readonly (string | number | null | undefined)[]>,
): string {
  const lines = [header.map(escapeCsv).join(',')];
  for (const row of rows) lines.push(row.map(escapeCsv).join(','));
  return `${lines.join('\r\n')}\r\n`;
}
