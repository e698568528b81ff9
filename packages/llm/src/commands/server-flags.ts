/** The flags about waiting for a server and asking it again. */
import { ConfigError } from '@lab/core';
import type { CliOption } from '@lab/core/cli';
import type { ClientOptions } from '../client-options.js';
import { defaultRetryLimits } from '../retry.js';
import { defaultTimeouts } from '../transport.js';

const seconds = (ms: number): string => `default ${(ms / 1000).toLocaleString('en-US')} s`;

/** Flags of times; their topic is the caller's. */
export const timeoutFlags: readonly Omit<CliOption, 'topic'>[] = [
  {
    flags: '--timeout <s>',
    summary: 'for a whole answer; 0 is no limit',
    kind: 'number',
    unit: seconds(defaultTimeouts.totalMs),
  },
  {
    flags: '--first-byte-timeout <s>',
    summary: 'until an answer begins',
    kind: 'number',
    unit: seconds(defaultTimeouts.firstByteMs),
  },
  {
    flags: '--idle-timeout <s>',
    summary: 'between two parts of an answer',
    kind: 'number',
    unit: seconds(defaultTimeouts.idleMs),
  },
  {
    flags: '--connect-timeout <s>',
    summary: 'until there is a connection',
    kind: 'number',
    unit: seconds(defaultTimeouts.connectMs),
  },
];

/** All of them; their topic is the caller's. */
export const serverFlags: readonly Omit<CliOption, 'topic'>[] = [
  ...timeoutFlags,
  {
    flags: '--max-attempts <n>',
    summary: 'requests for one answer of a server that fails',
    kind: 'integer',
    unit: `default ${defaultRetryLimits.maxAttempts}`,
  },
  {
    flags: '--refusal-retries <n>',
    summary: 'further requests for an answer that is refused or filtered',
    kind: 'integer',
    unit: `default ${defaultRetryLimits.refusalRetries}`,
  },
  { flags: '--stream', summary: 'take answers token by token, and time their first' },
];

type Flags = Readonly<Record<string, unknown>>;

/**
 * The settings of a client that the flags make.
 *
 * @throws {ConfigError} for negative numbers.
 */
export function serverSettings(
  options: Flags,
): Pick<ClientOptions, 'isStreamed' | 'retries' | 'timeouts'> {
  const time = (name: string, flag: string): number | undefined => {
    const value = atLeast(options[name], { flag, least: 0 });
    return value === undefined ? undefined : value * 1000;
  };
  return {
    isStreamed: options['stream'] === true,
    timeouts: {
      totalMs: time('timeout', '--timeout'),
      firstByteMs: time('firstByteTimeout', '--first-byte-timeout'),
      idleMs: time('idleTimeout', '--idle-timeout'),
      connectMs: time('connectTimeout', '--connect-timeout'),
    },
    retries: {
      maxAttempts: atLeast(options['maxAttempts'], { flag: '--max-attempts', least: 1 }),
      refusalRetries: atLeast(options['refusalRetries'], { flag: '--refusal-retries', least: 0 }),
    },
  };
}

function atLeast(
  value: unknown,
  { flag, least }: { readonly flag: string; readonly least: number },
): number | undefined {
  if (typeof value !== 'number') return undefined;
  if (value >= least) return value;
  throw new ConfigError(`${flag} is ${value} and must be at least ${least}.`);
}
