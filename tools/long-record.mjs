/** Characters of a list in a record, at most; a longer one is a table that the check writes. */
const MOST = 2000;

/**
 * A result of a check as its record keeps it: every list of more than 2,000 characters gives way to
 * its count, e.g. `{ "rowsLeftOut": 24 }`. Whole tables stand in the files that the check writes.
 */
export function compactResult(result) {
  if (result === null || typeof result !== 'object') return result;
  if (Array.isArray(result)) {
    return JSON.stringify(result).length > MOST
      ? { rowsLeftOut: result.length }
      : result.map(compactResult);
  }
  return Object.fromEntries(
    Object.entries(result).map(([name, value]) => [name, compactResult(value)]),
  );
}
