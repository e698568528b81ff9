import { ConfigError, formatCount, formatCounted, LabError, type LabErrorOptions } from '@lab/core';

/** How many failed rows are put up with: a number, or a share of all. */
export type ErrorLimit = { readonly count: number } | { readonly share: number };

/** Rows failed that another try may finish (`LAB_FAILED_ROWS`, exit code 7). */
export class FailedRowsError extends LabError {
  constructor(message: string, options: LabErrorOptions = {}) {
    super(message, { ...options, code: 'LAB_FAILED_ROWS' });
  }
}

/**
 * The limit that a text like `20` or `5%` names.
 *
 * @throws {ConfigError} when it is neither.
 */
export function parseErrorLimit(text: string): ErrorLimit {
  const [, number = '', percent = ''] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.trim()) ?? [];
  const value = Number(number);
  if (number !== '' && percent === '%' && value <= 100) return { share: value / 100 };
  if (number !== '' && percent === '' && Number.isInteger(value)) return { count: value };
  throw new ConfigError(`--max-errors ${JSON.stringify(text)} is no number of rows.`, {
    help: 'write a number of rows or a share of them, e.g. --max-errors 20 or 5%.',
  });
}

/** Rows after which a share says something. */
const fewRows = 100;

/** Whether a run need not go on, as too many rows have failed already. */
export function isBeyond(failed: number, rows: number, limit: ErrorLimit | undefined): boolean {
  if (limit === undefined) return false;
  if ('count' in limit) return failed > limit.count;
  return rows >= fewRows && failed > limit.share * rows;
}

/**
 * Ends a run with too many failed rows.
 *
 * @throws {FailedRowsError} when there are more than the limit; without one, when there are any.
 */
export function assertFewFailures(
  failed: number,
  rows: number,
  limit: ErrorLimit = { count: 0 },
): void {
  const most = 'count' in limit ? limit.count : limit.share * rows;
  if (failed > most) throw failedRows(failed, rows);
}

/** The error of a run in which rows failed. */
export function failedRows(failed: number, rows: number): FailedRowsError {
  return new FailedRowsError(
    `${formatCount(failed)} of ${formatCounted(rows, 'row')} failed; failures.jsonl says why.`,
    {
      help: 'resume the run: only these rows are asked again. --max-errors puts up with some.',
      details: { failed, rows },
    },
  );
}
