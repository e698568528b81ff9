/** What `llm run` works with, from its settings. */
import { existsSync } from 'node:fs';
import { ConfigError } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import type { AnswerStore } from '../answer-cache.js';
import { openAnswerStore } from '../cache/answer-store.js';
import { withoutWaiting } from '../cache/eager-store.js';
import type { StructuredLevel } from '../chat.js';
import { createClient, type HttpClient } from '../client.js';
import type { ClientOptions } from '../client-options.js';
import { systemClock } from '../clock.js';
import { RunTimeline } from '../exports/run-timeline.js';
import type { LlmClient } from '../llm-client.js';
import { type PriceTable, readPrices } from '../prices.js';
import { createReplayClient, recordingClient } from '../replay.js';
import { openQueueClient } from './queue-options.js';
import { type KnownCapabilities, knownCapabilities } from './run-capabilities.js';
import type { RunSettings } from './run-options.js';

/** Who answers: a server, a queue or a recording. */
export interface RunClient extends LlmClient {
  /** How servers are told the form of JSON now; absent where none is asked. */
  readonly structuredLevel?: StructuredLevel | undefined;
  /** Parameters that the server did not take. */
  readonly adaptations?: readonly string[] | undefined;
}

/** What a run works with. */
export interface Session {
  readonly settings: RunSettings;
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
export async function openSession(context: CliContext, settings: RunSettings): Promise<Session> {
  const { cacheMode, cacheDir, isDryRun, model, pricesFile, replay } = settings;
  const prices = pricesFile === undefined ? undefined : await readPrices(pricesFile);
  assertPriced(settings, prices);
  const known = knownCapabilities(settings);
  const timeline = new RunTimeline(systemClock, settings.isResumed);
  const server: ClientOptions = {
    ...{
      baseUrl: settings.baseUrl,
      baseUrls: settings.replicas,
      alias: settings.alias,
      model,
      capabilities: known.capabilities,
    },
    ...{ apiKey: settings.apiKey, ca: settings.ca, concurrency: settings.concurrency },
    ...settings.server,
    logger: context.logger,
  };
  // A plan makes no folder, and a recording needs none.
  const isCached =
    replay === undefined && cacheMode !== 'off' && (!isDryRun || existsSync(cacheDir));
  // A queue forgets an answer once it is safe here, and so must wait for that.
  const isEager = settings.queue === undefined;
  const gapMs = isEager ? eagerGapMs : undefined;
  const store = isCached ? openAnswerStore(cacheDir, { gapMs }) : undefined;
  const cache = isEager && store !== undefined ? withoutWaiting(store) : store;
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

/** Nobody waits for these answers: rows count by lines of their own. */
const eagerGapMs = 50;

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

function assertPriced({ budget, model, pricesFile }: RunSettings, prices: PriceTable | undefined) {
  if (budget.budgetUsd === undefined) return;
  const known = { prompt: 1, completion: 1, cached: 0, reasoning: 0, isEstimated: false };
  if (prices !== undefined && prices.costUsd(model, known) !== null) return;
  const what = pricesFile === undefined ? 'no price list' : `no price in USD of ${model}`;
  throw new ConfigError(`--budget-usd needs prices, and there is ${what}.`, {
    help: 'give --prices FILE with the model, or --max-total-tokens.',
  });
}
