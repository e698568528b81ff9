/**
 * A run as a table for spreadsheets.
 */
import { asText, type ExportedRow, type ExportedRun } from './exported-run.js';

/** Settings of {@link csvTable}. */
export interface CsvTableOptions {
  /**
   * Whether texts that a spreadsheet would take for formulas stay as they are; default false: they
   * get an apostrophe in front, as answers and documents are nobody's to vouch for.
   */
  readonly isRaw?: boolean | undefined;
}

const columns: readonly (readonly [string, (row: ExportedRow) => unknown])[] = [
  ['id', (row) => row.id],
  ['status', (row) => row.status],
  ['output', (row) => row.text],
  ['target', (row) => row.target],
  ['score', (row) => row.score],
  ['pass', (row) => row.isPass],
  ['problem', (row) => row.problem],
  ['promptTokens', (row) => row.usage.prompt],
  ['completionTokens', (row) => row.usage.completion],
  ['cachedTokens', (row) => row.usage.cached],
  ['reasoningTokens', (row) => row.usage.reasoning],
  ['costUsd', (row) => row.costUsd],
  ['milliseconds', (row) => row.milliseconds],
  ['attempts', (row) => row.attempts],
  ['requestHash', (row) => row.requestHash],
  ['isEstimated', (row) => row.usage.isEstimated === true],
];

/** The run in lines of CSV, heading first; fields of the input follow as `input.<name>`. */
export function* csvTable(run: ExportedRun, options: CsvTableOptions = {}): Generator<string> {
  const names = new Set<string>();
  for (const { fields } of run.rows) for (const name of Object.keys(fields)) names.add(name);
  names.delete('id');
  const inputs = [...names];
  const heading = [...columns.map(([name]) => name), ...inputs.map((name) => `input.${name}`)];
  const isRaw = options.isRaw ?? false;
  yield line(heading, isRaw);
  for (const row of run.rows) {
    const values = columns.map(([, value]) => value(row));
    yield line([...values, ...inputs.map((name) => row.fields[name])], isRaw);
  }
}

function line(values: readonly unknown[], isRaw: boolean): string {
  return `${values.map((value) => cell(value, isRaw)).join(',')}\r\n`;
}

const isNumber = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/iu;

function cell(value: unknown, isRaw: boolean): string {
  const text = asText(value);
  const isFormula = !isRaw && /^[=+\-@\t\r]/u.test(text) && !isNumber.test(text);
  const safe = isFormula ? `'${text}` : text;
  // Readers may drop white space at the ends of what stands without quotes.
  return /[",\r\n]|^\s|\s$/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
