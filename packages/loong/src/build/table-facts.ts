/**
 * Facts of documents that are tables: no model and no reader has to say what stands there.
 */
import { type Fact, parseValue } from './fact.js';

/**
 * The facts of a text's tables: rows `| attribute | value |` or `| attribute | value | unit |`, as
 * in Markdown. The first row of a table with a rule under it is its heading. An attribute that a
 * document gives twice with different values is none.
 */
export function tableFacts(doc: string, text: string): Fact[] {
  const rows = text.split('\n').map((line) => cellsOf(line));
  const found = new Map<string, Fact | null>();
  for (const [index, cells] of rows.entries()) {
    const fact = factOf(doc, cells, rows[index + 1] ?? null);
    if (fact === null) continue;
    const known = found.get(fact.attribute);
    if (known === undefined) found.set(fact.attribute, fact);
    else if (known?.value !== fact.value) found.set(fact.attribute, null);
  }
  return [...found.values()].filter((fact) => fact !== null);
}

/** Cells of a line of a table; null for any other line. */
function cellsOf(line: string): readonly string[] | null {
  const trimmed = line.trim();
  if (!trimmed.startsWith('|') || !trimmed.endsWith('|') || trimmed.length < 5) return null;
  return trimmed
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());
}

const isRule = (cells: readonly string[] | null): boolean =>
  cells !== null && cells.every((cell) => /^:?-{3,}:?$/.test(cell));

/** Attributes are names, not sentences. */
const longestName = 80;

function factOf(
  doc: string,
  cells: readonly string[] | null,
  next: readonly string[] | null,
): Fact | null {
  if (cells === null || isRule(cells) || isRule(next)) return null;
  const [attribute = '', value = '', unit = ''] = cells;
  const isFact = cells.length >= 2 && cells.length <= 3 && attribute !== '' && value !== '';
  if (!isFact || attribute.length > longestName || typeof parseValue(attribute) === 'number') {
    return null;
  }
  return { doc, attribute, value: parseValue(value), unit };
}
