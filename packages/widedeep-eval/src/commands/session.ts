/** What a command that asks models works with: clients, cache, prices. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, DataError } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import {
  type AnswerStore,
  type Budget,
  type CacheMode,
  createClient,
  createReplayClient,
  createScriptedClient,
  keptCapabilities,
  type LlmClient,
  openAnswerStore,
  type PriceTable,
  readPrices,
  recordingClient,
  systemClock,
  withoutWaiting,
} from '@lab/llm';
import type { WidedeepConfig } from '../config.js';
import { numberOf, textOf } from './data-options.js';
import { cacheModeOf } from './model-options.js';

/** Clients, cache and prices of a run. */
export interface Session {
  readonly client: LlmClient;
  /** Further models by the names of `jury.models`. */
  readonly clients: Readonly<Record<string, LlmClient>>;
  readonly cache: AnswerStore | undefined;
  readonly prices: PriceTable | undefined;
  /** Name of the server in the record; null where none is asked. */
  readonly server: string | null;
  close(): Promise<void>;
}

type Flags = Readonly<Record<string, unknown>>;
type Environment = Readonly<Record<string, string | undefined>>;

/** How clients are opened. */
export interface OpenSessionOptions {
  readonly context: CliContext;
  readonly options: Flags;
  readonly env: Environment;
  readonly config: WidedeepConfig;
  readonly budget: Budget;
  /** A plan makes no folder. */
  readonly isDryRun: boolean;
}

/** Nobody waits for these answers: samples count by lines of their own. */
const eagerGapMs = 50;

/**
 * Opens the clients that a run asks: a server for each model, a recording, or none where a rule
 * judges.
 *
 * @throws {ConfigError} for a missing model or address, and a budget in dollars without prices.
 */
export async function openSession(open: OpenSessionOptions): Promise<Session> {
  const { options, config, budget } = open;
  if (config.judge.kind !== 'model') return ruleSession(config.judge.kind);
  const pricesFile = textOf(options, 'prices');
  const prices = pricesFile === undefined ? undefined : await readPrices(pricesFile);
  const model = textOf(options, 'model');
  const replay = textOf(options, 'replay');
  if (model === undefined) throw missing('--model NAME', 'as the server calls it');
  assertPriced(model, prices, budget);
  if (replay !== undefined) return replaySession(replay, { model, config, prices });
  return serverSession(open, { model, prices });
}

async function serverSession(
  { context, options, env, config, isDryRun }: OpenSessionOptions,
  { model, prices }: { readonly model: string; readonly prices: PriceTable | undefined },
): Promise<Session> {
  const baseUrl = textOf(options, 'baseUrl') ?? env['LAB_BASE_URL'] ?? env['OPENAI_BASE_URL'];
  if (baseUrl === undefined) {
    throw missing('--base-url URL', 'e.g. http://localhost:8000/v1, or set LAB_BASE_URL');
  }
  const cacheMode: CacheMode = cacheModeOf(textOf(options, 'cache') ?? 'write');
  const cacheDir = textOf(options, 'cacheDir') ?? join(env['LAB_CACHE'] ?? '.lab-cache', 'llm');
  const isCached = cacheMode !== 'off' && (!isDryRun || existsSync(cacheDir));
  const store = isCached ? openAnswerStore(cacheDir, { gapMs: eagerGapMs }) : undefined;
  const cache = store === undefined ? undefined : withoutWaiting(store);
  const apiKey = apiKeyOf(textOf(options, 'apiKeyFile'), env);
  const record = textOf(options, 'record');
  const clientOf = (name: string, url: string, alias: string | undefined): LlmClient => {
    const client = createClient({
      ...{ baseUrl: url, alias, model: name, apiKey, cache, cacheMode, prices },
      capabilities:
        keptCapabilities({ baseUrl: url, model: name, date: systemClock.date() }) ?? undefined,
      concurrency: numberOf(options, 'concurrency'),
      logger: context.logger,
    });
    if (record === undefined) return client;
    return recordingClient(client, record, apiKey === undefined ? {} : { secrets: [apiKey] });
  };
  const client = clientOf(model, baseUrl, textOf(options, 'alias'));
  const clients = Object.fromEntries(
    config.jury.models.map((entry) => {
      const { name, url } = juryModel(entry);
      const alias = url === undefined ? textOf(options, 'alias') : undefined;
      return [entry, clientOf(name, url ?? baseUrl, alias)];
    }),
  );
  return {
    ...{ client, clients, cache, prices },
    server: textOf(options, 'alias') ?? baseUrl.replace(/:\/\/[^/@]*@/, '://'),
    async close() {
      for (const one of [client, ...Object.values(clients)]) await one.close();
      await cache?.close();
    },
  };
}

/** A further model: NAME, or NAME@URL. */
function juryModel(entry: string): { readonly name: string; readonly url: string | undefined } {
  const at = entry.search(/@https?:\/\//);
  if (at < 0) return { name: entry, url: undefined };
  return { name: entry.slice(0, at), url: entry.slice(at + 1) };
}

async function replaySession(
  dir: string,
  facts: {
    readonly model: string;
    readonly config: WidedeepConfig;
    readonly prices: PriceTable | undefined;
  },
): Promise<Session> {
  const client = await createReplayClient(dir, { model: facts.model });
  const clients: Record<string, LlmClient> = {};
  for (const entry of facts.config.jury.models) {
    clients[entry] = await createReplayClient(dir, { model: juryModel(entry).name });
  }
  const cache = undefined;
  return {
    ...{ client, clients, cache, prices: facts.prices, server: 'recording' },
    close: () => client.close(),
  };
}

/** For judges that are rules: nothing is asked. */
function ruleSession(kind: string): Session {
  const client = createScriptedClient({
    model: kind,
    answer: () => {
      throw new ConfigError(`widedeep-eval: the rule ${kind} asks no model.`);
    },
  });
  const close = () => client.close();
  return { client, clients: {}, cache: undefined, prices: undefined, server: null, close };
}

function missing(flag: string, what: string): ConfigError {
  return new ConfigError(`${flag} is missing.`, {
    help: `give it (${what}); "widedeep-eval demo" needs no model.`,
  });
}

function assertPriced(model: string, prices: PriceTable | undefined, { budgetUsd }: Budget): void {
  if (budgetUsd === undefined) return;
  const known = { prompt: 1, completion: 1, cached: 0, reasoning: 0, isEstimated: false };
  if (prices !== undefined && prices.costUsd(model, known) !== null) return;
  const what = prices === undefined ? 'no price list' : `no price in USD of ${model}`;
  throw new ConfigError(`--budget-usd needs prices, and there is ${what}.`, {
    help: 'give --prices FILE with the model, or --max-total-tokens.',
  });
}

function apiKeyOf(file: string | undefined, env: Environment): string | undefined {
  if (file === undefined) return env['LAB_API_KEY'] ?? env['OPENAI_API_KEY'];
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new DataError(`cannot read the key in ${file}.`, { file, cause });
  }
}
