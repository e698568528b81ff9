/**
 * How long a server asks to wait.
 */

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Milliseconds from now, or null where the server names none: `retry-after-ms`, else `retry-after`
 * as seconds or as a date.
 *
 * @param date - now, in milliseconds since 1970.
 */
export function retryAfterMs(headers: Headers, date: number): number | null {
  const exact = numberOf(headers['retry-after-ms']);
  if (exact !== null) return Math.max(0, exact);
  const seconds = numberOf(headers['retry-after']);
  if (seconds !== null) return Math.max(0, seconds * 1000);
  const then = Date.parse(single(headers['retry-after']));
  return Number.isNaN(then) ? null : Math.max(0, then - date);
}

const single = (value: string | string[] | undefined): string =>
  (Array.isArray(value) ? value[0] : value)?.trim() ?? '';

function numberOf(value: string | string[] | undefined): number | null {
  const text = single(value);
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}
