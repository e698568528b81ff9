import { describe, expect, it } from 'vitest';
import { retryAfterMs } from './retry-after.js';

const date = Date.UTC(2026, 0, 1);

describe('retryAfterMs', () => {
  it.each<[Parameters<typeof retryAfterMs>[0], number | null]>([
    [{ 'retry-after-ms': '1250' }, 1250],
    [{ 'retry-after-ms': '1250', 'retry-after': '7' }, 1250],
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': ['3', '4'] }, 3000],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:01:30 GMT' }, 90_000],
    [{ 'retry-after': 'Wed, 31 Dec 2025 23:00:00 GMT' }, 0],
    // The server's clock is an hour behind ours, or ahead.
    ...['Wed, 31 Dec 2025 23:00:00 GMT', 'Thu, 01 Jan 2026 01:00:00 GMT'].map((now) => {
      const then = new Date(Date.parse(now) + 90_000).toUTCString();
      return [{ 'retry-after': then, date: now }, 90_000] as [Record<string, string>, number];
    }),
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:01:30 GMT', date: 'now' }, 90_000],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '' }, null],
    [{}, null],
  ])('reads %j as %j', (headers, expected) => {
    expect(retryAfterMs(headers, date)).toBe(expected);
  });
});
