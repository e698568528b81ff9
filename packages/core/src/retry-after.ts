/**
 * How long a server asks to wait.
 */

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Milliseconds from now, or null where the server names none: `retry-after-ms`, else `retry-after`
 * as seconds or as a date. A date is compared with the server's own clock where it tells the time,
 * as ours may be hours off.
 *
 * @param date - now, in milliseconds since 1970.
 */
export function retryAfterMs(headers: Headers, date: number): number | null {
  const exact = numberOf(headers['retry-after-ms']);
  if (exact !== null) return Math.max(0, exact);
  const seconds = numberOf(headers['retry-after']);
  if (seconds !== null) return Math.max(0, seconds * 1000);
  const then = Date.parse(single(headers['retry-after']));
  if (Number.isNaN(then)) return null;
  const sent = Date.parse(single(headers['date']));
  return Math.max(0, then - (Number.isNaN(sent) ? date : sent));
}

const single = (value: string | string[] | undefined): string =>
  (Array.isArray(value) ? value[0] : value)?.trim() ?? '';

function numberOf(value: string | string[] | undefined): number | null {
  const text = single(value);
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}
