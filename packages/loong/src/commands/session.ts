/** What a command that asks models works with: the model, and the retriever of chunks. */
import { join } from 'node:path';
import type { CliContext } from '@lab/core/cli';
import { createClient, openEmbeddingStore } from '@lab/llm';
import {
  clientOptionsOf,
  type FlagValues,
  missingFlag,
  type ModelSession,
  openSession,
  readModelSettings,
  type SessionOptions,
  textOf,
} from '@lab/llm/commands';
import type { LoongConfig } from '../config.js';
import { createRetriever, type Retriever } from '../rag.js';

const hint = '"loong demo" needs no model.';

/**
 * Opens the client that a run asks: a server, or a recording.
 *
 * @throws {ConfigError} for a missing model or address, and a budget in dollars without prices.
 */
export function openModel(
  open: Pick<SessionOptions, 'budget' | 'context' | 'isDryRun' | 'options'>,
): Promise<ModelSession> {
  return openSession({ ...open, hint });
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
  options: FlagValues,
  rag: LoongConfig['rag'],
): OpenRetriever {
  const { retriever: kind } = rag;
  if (kind === 'off') return { retriever: undefined, close: async () => undefined };
  if (kind === 'bm25') return { retriever: createRetriever(kind), close: async () => undefined };
  const model = textOf(options, 'embedModel');
  if (model === undefined) {
    throw missingFlag('--embed-model NAME', 'what makes vectors of chunks', hint);
  }
  const settings = readModelSettings(embeddingFlags(options, model), { hint });
  const client = createClient({ ...clientOptionsOf(settings), logger: context.logger });
  const store = openEmbeddingStore(join(settings.cacheDir, 'vectors'), model);
  return {
    retriever: createRetriever(kind, { client, store }),
    async close() {
      store.close();
      await client.close();
    },
  };
}

/** Vectors come from a model and often a server of their own, also beside a recording. */
function embeddingFlags(options: FlagValues, model: string): FlagValues {
  const baseUrl = options['embedBaseUrl'] ?? options['baseUrl'];
  return {
    ...options,
    model,
    baseUrl,
    alias: undefined,
    concurrency: undefined,
    replay: undefined,
  };
}
