/** The flags of `llm run` about a queue, and the client that they make. */
import { ConfigError } from '@lab/core';
import type { CliContext, CliOption } from '@lab/core/cli';
import type { AnswerStore } from '../answer-cache.js';
import type { LlmClient } from '../llm-client.js';
import type { PriceTable } from '../prices.js';
import type { RedisEvent } from '../queue/redis-event.js';
import { createQueueClient, type QueueClient } from '../queue/queue-client.js';
import { parseQueueRate, type QueueRate } from '../queue/queue-rate.js';

/** The flags; their topic is the caller's. */
export const queueFlags: readonly Omit<CliOption, 'topic'>[] = [
  { flags: '--queue <url>', summary: 'Redis through which "llm work" processes answer' },
  { flags: '--queue-rate <n/s>', summary: 'requests of all of them, e.g. 10/s or 600/min' },
];

/** Rows in the queue at once: enough for many workers, few enough to be taken back. */
export const queueWindow = 1000;

/** What the flags say. */
export interface QueueSettings {
  /** Redis, through which other processes answer. */
  readonly queue: string | undefined;
  readonly queueRate: QueueRate | undefined;
}

/**
 * The settings that the flags make.
 *
 * @throws {ConfigError} for what is no rate, and for a queue without the cache that lets it pay
 *   once.
 */
export function queueOf(text: (name: string) => string | undefined): QueueSettings {
  const [queue, rate] = [text('queue'), text('queueRate')];
  if (queue === undefined && rate !== undefined) {
    throw new ConfigError('--queue-rate is of a queue, and there is no --queue.');
  }
  if (queue !== undefined && (text('cache') ?? 'write') !== 'write') {
    throw new ConfigError('--queue needs the cache in its mode "write".', {
      help: 'leave --cache out: with the cache, what a queue gives out twice is paid once.',
    });
  }
  return { queue, queueRate: rate === undefined ? undefined : parseQueueRate(rate) };
}

/** Says when Redis goes away and when it is back. */
export function redisNotes(context: CliContext): (event: RedisEvent) => void {
  return (event) => {
    const isAway = event === 'away';
    context.note(
      isAway ? 'warning: Redis is away; waiting for it, nothing is lost.' : 'Redis is back.',
    );
  };
}

/** What {@link openQueueClient} works with. */
export interface QueueSession {
  readonly settings: QueueSettings;
  readonly client: LlmClient;
  readonly cache: AnswerStore | undefined;
  readonly prices: PriceTable | undefined;
}

/**
 * The client of a run whose requests others answer.
 *
 * @throws {ConfigError} where no Redis answers.
 */
export function openQueueClient(context: CliContext, session: QueueSession): Promise<QueueClient> {
  const { settings, client, cache, prices } = session;
  const { queue, queueRate: rate } = settings;
  if (queue === undefined || cache === undefined) throw new ConfigError('there is no queue.');
  return createQueueClient({
    ...{ url: queue, client, cache, prices, rate, signal: context.signal },
    onRedis: redisNotes(context),
    onNobody: () =>
      context.note('nobody works on the queue: start "llm work" with the same server and model.'),
  });
}
