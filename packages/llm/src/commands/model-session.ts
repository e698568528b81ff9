/** What a command that asks models works with: clients, cache, prices. */
import { existsSync } from 'node:fs';
import { ConfigError } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import type { AnswerStore } from '../answer-cache.js';
import { openAnswerStore } from '../cache/answer-store.js';
import { withoutWaiting } from '../cache/eager-store.js';
import type { Capabilities } from '../capabilities.js';
import { createClient, type HttpClient } from '../client.js';
import type { ClientOptions } from '../client-options.js';
import { systemClock } from '../clock.js';
import { keptCapabilities } from '../kept-capabilities.js';
import type { LlmClient } from '../llm-client.js';
import { type PriceTable, readPrices } from '../prices.js';
import { createReplayClient, recordingClient } from '../replay.js';
import type { Budget } from '../rows/budget.js';
import type { FlagValues } from './flag-values.js';
import {
  clientOptionsOf,
  type ModelSettings,
  type ModelSettingsOptions,
  readModelSettings,
} from './model-settings.js';

/** Clients, cache and prices of a command. It must be closed. */
export interface ModelSession {
  /** Asks the model that the flags name. */
  readonly client: LlmClient;
  /** Asks further models, by their entries in `furtherModels`. */
  readonly clients: Readonly<Record<string, LlmClient>>;
  readonly cache: AnswerStore | undefined;
  readonly prices: PriceTable | undefined;
  /** Name of the server in records. */
  readonly server: string;
  /**
   * Opens a further client of the same server that keeps nothing; null for a recording. Whoever
   * opens it closes it.
   *
   * @param capabilities - what is known of the server beyond what was found before.
   */
  readonly openUncached: ((capabilities?: Partial<Capabilities>) => HttpClient) | null;
  close(): Promise<void>;
}

/** What {@link openSession} opens. */
export interface SessionOptions extends ModelSettingsOptions {
  readonly context: Pick<CliContext, 'logger'>;
  readonly options: FlagValues;
  /** Default none. */
  readonly budget?: Budget | undefined;
  /** A plan makes no folder; default false. */
  readonly isDryRun?: boolean | undefined;
  /** `NAME`, at the same server, or `NAME@URL`. */
  readonly furtherModels?: readonly string[] | undefined;
}

/**
 * Opens what a command that asks models works with: a client of one server or of several replicas,
 * of further models, or of a recording; recorded, where that is wished; with cache and prices.
 *
 * @throws {ConfigError} for a missing model or address, and a budget in dollars without prices.
 * @throws {DataError} for files that cannot be read.
 */
export async function openSession(open: SessionOptions): Promise<ModelSession> {
  const { context, options, budget = {}, isDryRun = false, furtherModels = [] } = open;
  const settings = readModelSettings(options, open);
  const further = furtherModels.map((entry) => [entry, withModel(settings, entry)] as const);
  const models = [settings, ...further.map(([, one]) => one)].map(({ model }) => model);
  const prices = await openPrices(settings, budget, models);
  const cache = openAnswerCache(settings, { isDryRun, isEager: true });
  const { cacheMode } = settings;
  const setting = { cache, cacheMode, prices, logger: context.logger };
  const client = await openClient(settings, setting);
  const clients: Record<string, LlmClient> = {};
  for (const [entry, one] of further) clients[entry] = await openClient(one, setting);
  return {
    ...{ client, clients, cache, prices, server: settings.serverName },
    openUncached: uncachedOpener(settings, context.logger),
    async close() {
      for (const one of [client, ...Object.values(clients)]) await one.close();
      await cache?.close();
    },
  };
}

function uncachedOpener(
  settings: ModelSettings,
  logger: CliContext['logger'],
): ModelSession['openUncached'] {
  if (settings.replay !== undefined) return null;
  const { baseUrl, model } = settings;
  const known = keptCapabilities({ baseUrl, model, date: systemClock.date() }) ?? {};
  return (capabilities) =>
    createClient({
      ...clientOptionsOf(settings),
      ...{ logger, capabilities: { ...known, ...capabilities } },
    });
}

/** The settings with another model: `NAME`, or `NAME@URL`, a server that shares nothing. */
function withModel(settings: ModelSettings, entry: string): ModelSettings {
  const at = entry.search(/@https?:\/\//);
  if (at < 0) return { ...settings, model: entry };
  const [model, baseUrl] = [entry.slice(0, at), entry.slice(at + 1)];
  return { ...settings, model, baseUrl, replicas: [], alias: undefined };
}

async function openClient(
  settings: ModelSettings,
  setting: Pick<ClientOptions, 'cache' | 'cacheMode' | 'logger' | 'prices'>,
): Promise<LlmClient> {
  const { apiKey, baseUrl, model, record, replay } = settings;
  if (replay !== undefined) return createReplayClient(replay, { model });
  const known = keptCapabilities({ baseUrl, model, date: systemClock.date() });
  const client = createClient({
    ...clientOptionsOf(settings),
    ...setting,
    capabilities: known ?? undefined,
  });
  if (record === undefined) return client;
  return recordingClient(client, record, { secrets: apiKey === undefined ? [] : [apiKey] });
}

/** Nobody waits for these answers: rows count by lines of their own. */
const eagerGapMs = 50;

/**
 * The cache that settings name; undefined where there is none.
 *
 * @param how - `isEager`: answers are given out before they are safe on the disk.
 */
export function openAnswerCache(
  { cacheDir, cacheMode, replay }: Pick<ModelSettings, 'cacheDir' | 'cacheMode' | 'replay'>,
  how: { readonly isDryRun: boolean; readonly isEager: boolean },
): AnswerStore | undefined {
  // A plan makes no folder, and a recording needs none.
  const isCached =
    replay === undefined && cacheMode !== 'off' && (!how.isDryRun || existsSync(cacheDir));
  if (!isCached) return undefined;
  if (!how.isEager) return openAnswerStore(cacheDir);
  return withoutWaiting(openAnswerStore(cacheDir, { gapMs: eagerGapMs }));
}

/**
 * The prices that settings name; undefined where they name none.
 *
 * @param models - those that a budget in dollars must know the price of.
 * @throws {ConfigError} where it does not.
 */
export async function openPrices(
  { pricesFile }: Pick<ModelSettings, 'pricesFile'>,
  { budgetUsd }: Budget,
  models: readonly string[],
): Promise<PriceTable | undefined> {
  const prices = pricesFile === undefined ? undefined : await readPrices(pricesFile);
  if (budgetUsd === undefined) return prices;
  const usage = { prompt: 1, completion: 1, cached: 0, reasoning: 0, isEstimated: false };
  const unpriced = models.find((model) => (prices?.costUsd(model, usage) ?? null) === null);
  if (unpriced === undefined) return prices;
  const what = prices === undefined ? 'no price list' : `no price in USD of ${unpriced}`;
  throw new ConfigError(`--budget-usd needs prices, and there is ${what}.`, {
    help: 'give --prices FILE with the model, or --max-total-tokens.',
  });
}
