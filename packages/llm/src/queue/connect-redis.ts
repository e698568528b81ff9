/**
 * Redis and BullMQ, which are there only where somebody installed them.
 */
import { ConfigError } from '@lab/core';
import type * as BullMq from 'bullmq';
import type { Redis } from 'ioredis';
import type { RedisEvent } from './redis-event.js';

/** Before the names of all keys, so that other queues of the same Redis are left alone. */
export const keyPrefix = 'lab';

const connectMs = 5000;
const longestPauseMs = 2000;

/** A Redis that answers, and BullMQ. */
export interface RedisLink {
  readonly bullmq: typeof BullMq;
  /** A connection of its own, which comes back whenever Redis does. */
  open(): Redis;
  /** Cuts all connections. */
  disconnect(): void;
}

/**
 * Connects to a Redis.
 *
 * @param url - `redis://` or, encrypted, `rediss://`.
 * @param onEvent - told when the Redis goes away later, and when it is back.
 * @throws {ConfigError} for packages that are not installed, for an address that is none, and where
 *   no Redis answers.
 */
export async function connectRedis(
  url: string,
  onEvent: (event: RedisEvent) => void = () => undefined,
): Promise<RedisLink> {
  const place = shownAddress(url);
  const { bullmq, RedisClient } = await loadPackages();
  const opened: Redis[] = [];
  let [isAway, isClosing] = [false, false];
  const tell = (event: RedisEvent): void => {
    const isNews = isAway !== (event === 'away');
    if (isClosing || !isNews) return;
    isAway = !isAway;
    onEvent(event);
  };
  const link: RedisLink = {
    bullmq,
    open() {
      const redis = new RedisClient(url, {
        maxRetriesPerRequest: null,
        retryStrategy: (attempt) => Math.min(longestPauseMs, 100 * attempt),
      });
      // Nothing is lost while Redis is away: commands wait, and what they say is heard elsewhere.
      redis.on('error', () => undefined);
      redis.on('close', () => tell('away'));
      redis.on('ready', () => tell('back'));
      opened.push(redis);
      return redis;
    },
    disconnect() {
      isClosing = true;
      for (const redis of opened) redis.disconnect();
    },
  };
  await assertThere(RedisClient, url, place);
  return link;
}

/** The address without its password. */
function shownAddress(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed !== null && /^rediss?:$/.test(parsed.protocol) && parsed.hostname !== '') {
    return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
  }
  throw new ConfigError('llm/queue: the address of the queue is no Redis URL.', {
    help: 'give something like redis://localhost:6379.',
  });
}

async function loadPackages() {
  try {
    const [bullmq, { Redis: RedisClient }] = await Promise.all([
      import('bullmq'),
      import('ioredis'),
    ]);
    return { bullmq, RedisClient };
  } catch (cause) {
    throw new ConfigError('llm/queue: a queue needs the packages bullmq and ioredis.', {
      help: 'install them: npm install bullmq ioredis.',
      cause,
    });
  }
}

/** Asks once: connections that are to last would wait for a Redis for ever. */
async function assertThere(RedisClient: typeof Redis, url: string, place: string): Promise<void> {
  const redis = new RedisClient(url, {
    lazyConnect: true,
    connectTimeout: connectMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let problem: unknown;
  redis.on('error', (error: unknown) => {
    problem = error;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    const cause = problem ?? error;
    const why = cause instanceof Error ? cause.message || cause.name : String(cause);
    throw new ConfigError(`llm/queue: no Redis answers at ${place} (${why}).`, {
      help: 'start one with "redis-server --appendonly yes", or give its address.',
      cause,
    });
  } finally {
    redis.disconnect();
  }
}
