/** What `llm run` works with, from its settings. */
import type { CliContext } from '@lab/core/cli';
import type { AnswerStore } from '../answer-cache.js';
import type { StructuredLevel } from '../chat.js';
import { createClient, type HttpClient } from '../client.js';
import type { ClientOptions } from '../client-options.js';
import { systemClock } from '../clock.js';
import { RunTimeline } from '../exports/run-timeline.js';
import type { LlmClient } from '../llm-client.js';
import type { PriceTable } from '../prices.js';
import { createReplayClient, recordingClient } from '../replay.js';
import { openAnswerCache, openPrices } from './model-session.js';
import { clientOptionsOf } from './model-settings.js';
import { openQueueClient } from './queue-options.js';
import { type KnownCapabilities, knownCapabilities } from './run-capabilities.js';
import type { PromptSettings } from './run-options.js';

/** Who answers: a server, a queue or a recording. */
export interface RunClient extends LlmClient {
  /** How servers are told the form of JSON now; absent where none is asked. */
  readonly structuredLevel?: StructuredLevel | undefined;
  /** Parameters that the server did not take. */
  readonly adaptations?: readonly string[] | undefined;
}

/** What a run works with. */
export interface Session {
  readonly settings: PromptSettings;
  /** Names requests, and answers them where nothing stands between. */
  readonly client: RunClient;
  readonly cache: AnswerStore | undefined;
  readonly prices: PriceTable | undefined;
  readonly known: KnownCapabilities;
  readonly timeline: RunTimeline;
  /** A further client of the server, without a cache. */
  openClient(): HttpClient;
  close(): Promise<void>;
}

/**
 * Opens what a run works with.
 *
 * @throws {ConfigError} for a budget in dollars without prices.
 */
export async function openSession(context: CliContext, settings: PromptSettings): Promise<Session> {
  const { budget, cacheMode, isDryRun, model, queue, replay } = settings;
  const prices = await openPrices(settings, budget, [model]);
  const known = knownCapabilities(settings);
  const timeline = new RunTimeline(systemClock, settings.isResumed);
  const server: ClientOptions = {
    ...clientOptionsOf(settings),
    capabilities: known.capabilities,
    logger: context.logger,
  };
  // A queue forgets an answer once it is safe here, and so must wait for that.
  const cache = openAnswerCache(settings, { isDryRun, isEager: queue === undefined });
  const client: RunClient =
    replay === undefined
      ? createClient({
          ...server,
          ...{ cache, cacheMode, prices, onEvent: (event) => timeline.note(event) },
        })
      : await createReplayClient(replay, { model });
  return {
    ...{ settings, client, cache, prices, known, timeline },
    openClient: () => createClient(server),
    async close() {
      await client.close();
      await cache?.close();
    },
  };
}

/**
 * Who answers the rows: the session's client, or the processes behind a queue; recorded where that
 * is wished.
 */
export async function openAsker(context: CliContext, session: Session): Promise<RunClient> {
  const { settings, client } = session;
  const { queue, record, apiKey } = settings;
  const asker: RunClient = queue === undefined ? client : await openQueueClient(context, session);
  if (record === undefined) return asker;
  const recording = recordingClient(asker, record, {
    secrets: apiKey === undefined ? [] : [apiKey],
  });
  return {
    ...recording,
    get structuredLevel() {
      return asker.structuredLevel;
    },
  };
}
