import { ConfigError } from '@lab/core';

/** Requests that all workers of a queue together begin at most in a time. */
export interface QueueRate {
  readonly requests: number;
  readonly milliseconds: number;
}

const units: Readonly<Record<string, number>> = { s: 1000, min: 60_000, h: 3_600_000 };

/**
 * The rate that a text like `10/s`, `600/min` or `5000/h` names.
 *
 * @throws {ConfigError} when it names none.
 */
export function parseQueueRate(text: string): QueueRate {
  const [, count = '', unit = ''] = /^(\d+)\/(s|min|h)$/.exec(text.trim()) ?? [];
  const milliseconds = units[unit];
  if (milliseconds !== undefined && Number(count) > 0) {
    return { requests: Number(count), milliseconds };
  }
  throw new ConfigError(`--queue-rate ${JSON.stringify(text)} is no rate.`, {
    help: 'write requests and a time, e.g. 10/s, 600/min or 5000/h.',
  });
}
