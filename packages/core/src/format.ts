/**
 * A duration in words: `0.4 s`, `37 s`, `12 min`, `1 h 04 min`, `2 d 03 h`; `n/a` when not finite.
 *
 * @param seconds - duration in seconds.
 */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'n/a';
  if (seconds < 0) return `-${formatDuration(-seconds)}`;
  if (seconds < 0.0095) return `${(seconds * 1000).toFixed(1)} ms`;
  if (seconds < 0.9995) return `${seconds.toFixed(2)} s`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)} d ${twoDigits(hours % 24)} h`;
}

/**
 * A size in decimal units: `512 B`, `2.0 kB`, `1.4 GB`; `n/a` when not finite.
 *
 * @param bytes - size in bytes.
 */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return 'n/a';
  if (bytes < 0) return `-${formatBytes(-bytes)}`;
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (unit === 0) return `${Math.round(value)} B`;
  return `${value < 99.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A whole number with commas between thousands: `30,000`. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return 'n/a';
  const digits = Math.abs(Math.round(count)).toFixed(0);
  const sign = Math.round(count) < 0 ? '-' : '';
  return sign + digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

/**
 * A count with its noun in the right number: `1 line`, `2,500 lines`.
 *
 * @param plural - when it is not the singular with an s.
 */
export function formatCounted(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

/**
 * A share for a table of metrics, without the leading zero: `.612`, `1.000`, `-.050`.
 *
 * @param share - a number, usually in 0..1.
 * @param decimals - digits after the point.
 */
export function formatShare(share: number, decimals = 3): string {
  if (!Number.isFinite(share)) return 'n/a';
  return share.toFixed(decimals).replace(/^(-?)0\./, '$1.');
}

/** A share for a sentence: `.612` becomes `61.2 %`. */
export function formatPercent(share: number, decimals = 1): string {
  if (!Number.isFinite(share)) return 'n/a';
  return `${(share * 100).toFixed(decimals)} %`;
}

/**
 * A number with three significant digits: `4.81`, `0.0123`, `1,230`, `1.23e-7`.
 *
 * @param digits - significant digits.
 */
export function formatNumber(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'n/a' : String(value);
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e9) return value.toExponential(digits - 1);
  if (size >= 10 ** digits) return formatCount(value);
  return value.toPrecision(digits);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
