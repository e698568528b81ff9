/** What a command that asks a model works with: client, cache, prices. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, DataError } from '@lab/core';
import type { CliContext } from '@lab/core/cli';
import {
  type AnswerStore,
  type Budget,
  createClient,
  createReplayClient,
  keptCapabilities,
  type LlmClient,
  openAnswerStore,
  openEmbeddingStore,
  type PriceTable,
  readPrices,
  recordingClient,
  systemClock,
  withoutWaiting,
} from '@lab/llm';
import type { LoongConfig } from '../config.js';
import { createRetriever, type Retriever } from '../rag.js';
import { countOf, textOf } from './data-options.js';
import { cacheModeOf } from './model-options.js';

/** Client, cache and prices of a run. */
export interface Session {
  readonly client: LlmClient;
  readonly cache: AnswerStore | undefined;
  readonly prices: PriceTable | undefined;
  /** Name of the server in the record. */
  readonly server: string;
  close(): Promise<void>;
}

type Flags = Readonly<Record<string, unknown>>;

/** How a client is opened. */
export interface OpenSessionOptions {
  readonly context: CliContext;
  readonly options: Flags;
  readonly budget: Budget;
  /** A plan makes no folder. */
  readonly isDryRun: boolean;
}

/** Nobody waits for these answers: rows count by lines of their own. */
const eagerGapMs = 50;

/**
 * Opens the client that a run asks: a server, or a recording.
 *
 * @throws {ConfigError} for a missing model or address, and a budget in dollars without prices.
 */
export async function openSession(open: OpenSessionOptions): Promise<Session> {
  const { options, budget } = open;
  const pricesFile = textOf(options, 'prices');
  const prices = pricesFile === undefined ? undefined : await readPrices(pricesFile);
  const model = textOf(options, 'model');
  if (model === undefined) throw missing('--model NAME', 'as the server calls it');
  assertPriced(model, prices, budget);
  const replay = textOf(options, 'replay');
  if (replay === undefined) return serverSession(open, model, prices);
  const client = await createReplayClient(replay, { model });
  const close = () => client.close();
  return { client, cache: undefined, prices, server: 'recording', close };
}

/** The address of the server that flags name. */
function addressOf(options: Flags): string {
  const { LAB_BASE_URL, OPENAI_BASE_URL } = process.env;
  const url = textOf(options, 'baseUrl') ?? LAB_BASE_URL ?? OPENAI_BASE_URL;
  if (url !== undefined) return url;
  throw missing('--base-url URL', 'e.g. http://localhost:8000/v1, or set LAB_BASE_URL');
}

const cacheFolder = (options: Flags) =>
  textOf(options, 'cacheDir') ?? join(process.env['LAB_CACHE'] ?? '.lab-cache', 'llm');

function serverSession(
  { context, options, isDryRun }: OpenSessionOptions,
  model: string,
  prices: PriceTable | undefined,
): Session {
  const baseUrl = addressOf(options);
  const cacheMode = cacheModeOf(textOf(options, 'cache') ?? 'write');
  const cacheDir = cacheFolder(options);
  const isCached = cacheMode !== 'off' && (!isDryRun || existsSync(cacheDir));
  const store = isCached ? openAnswerStore(cacheDir, { gapMs: eagerGapMs }) : undefined;
  const cache = store === undefined ? undefined : withoutWaiting(store);
  const apiKey = apiKeyOf(textOf(options, 'apiKeyFile'));
  const asked = createClient({
    ...{ baseUrl, alias: textOf(options, 'alias'), model, apiKey, cache, cacheMode, prices },
    capabilities: keptCapabilities({ baseUrl, model, date: systemClock.date() }) ?? undefined,
    concurrency: countOf(options, 'concurrency', '--concurrency'),
    logger: context.logger,
  });
  const record = textOf(options, 'record');
  const secrets = apiKey === undefined ? {} : { secrets: [apiKey] };
  const client = record === undefined ? asked : recordingClient(asked, record, secrets);
  return {
    ...{ client, cache, prices },
    server: textOf(options, 'alias') ?? baseUrl.replace(/:\/\/[^/@]*@/, '://'),
    async close() {
      await client.close();
      await cache?.close();
    },
  };
}

/** A retriever and what it holds open. */
export interface OpenRetriever {
  readonly retriever: Retriever | undefined;
  close(): Promise<void>;
}

/**
 * The retriever that settings name; none where it is off.
 *
 * @throws {ConfigError} where it needs vectors and no model is named.
 */
export function openRetriever(
  context: CliContext,
  options: Flags,
  rag: LoongConfig['rag'],
): OpenRetriever {
  const { retriever: kind } = rag;
  if (kind === 'off') return { retriever: undefined, close: async () => undefined };
  if (kind === 'bm25') return { retriever: createRetriever(kind), close: async () => undefined };
  const model = textOf(options, 'embedModel');
  if (model === undefined) throw missing('--embed-model NAME', 'what makes vectors of chunks');
  const baseUrl = textOf(options, 'embedBaseUrl') ?? addressOf(options);
  const apiKey = apiKeyOf(textOf(options, 'apiKeyFile'));
  const client = createClient({ baseUrl, model, apiKey, logger: context.logger });
  const store = openEmbeddingStore(join(cacheFolder(options), 'vectors'), model);
  return {
    retriever: createRetriever(kind, { client, store }),
    async close() {
      store.close();
      await client.close();
    },
  };
}

function missing(flag: string, what: string): ConfigError {
  return new ConfigError(`${flag} is missing.`, {
    help: `give it (${what}); "loong demo" needs no model.`,
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

function apiKeyOf(file: string | undefined): string | undefined {
  if (file === undefined) return process.env['LAB_API_KEY'] ?? process.env['OPENAI_API_KEY'];
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new DataError(`cannot read the key in ${file}.`, { file, cause });
  }
}
