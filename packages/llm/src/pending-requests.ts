/**
 * What work of several steps would ask next: of each row the requests whose answers are not kept
 * yet. With provider batches a step of all rows is a batch: written, answered elsewhere, imported;
 * then the next step can be asked.
 */
import type { AnswerStore } from './answer-cache.js';
import type { ChatRequest, ChatResult } from './chat.js';
import type { LlmClient } from './llm-client.js';
import { LlmFailure } from './llm-failure.js';

/** What {@link pendingRequests} works with. */
export interface PendingOptions {
  /** Must take answers from `cache`, as all further clients must. */
  readonly client: LlmClient;
  /** Further clients by name, as a step asks them. */
  readonly clients?: Readonly<Record<string, LlmClient>> | undefined;
  /** Undefined where nothing is kept yet. */
  readonly cache: Pick<AnswerStore, 'has'> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of each row whether it waits for answers. */
  readonly onRow?: ((isWaiting: boolean) => void) | undefined;
}

/** A request that waits to be asked. */
export interface PendingRequest {
  readonly request: ChatRequest;
  /** Whom it is for: one of the clients that the options name. */
  readonly client: LlmClient;
}

/**
 * What is done for a row, as a run does it.
 *
 * @param clients - the further ones, by name.
 */
export type PendingStep<Row> = (
  row: Row,
  client: LlmClient,
  clients: Readonly<Record<string, LlmClient>>,
) => Promise<unknown>;

/** Ends a step whose answer is not there. */
class AnswerPending extends Error {
  constructor() {
    super('llm/batch: the answer is not there yet.');
  }
}

/**
 * The requests that rows would ask next, row by row: each row's step runs on the answers that are
 * kept, up to where one is missing. Nothing is sent; embeddings and counts of tokens alone are
 * asked of the clients as they come.
 *
 * @param step - what it asks side by side must be waited for before it throws, so that all of it
 *   is known.
 * @throws {DataError} {ConfigError} of a step; an `LlmFailure` ends its row, as in a run.
 */
export async function* pendingRequests<Row>(
  rows: Iterable<Row> | AsyncIterable<Row>,
  step: PendingStep<Row>,
  options: PendingOptions,
): AsyncGenerator<PendingRequest> {
  const { client, clients = {}, cache } = options;
  for await (const row of rows) {
    options.signal?.throwIfAborted();
    const asked: PendingRequest[] = [];
    const collected = (one: LlmClient): LlmClient => collecting(one, cache, asked);
    const further = Object.entries(clients).map(([name, one]) => [name, collected(one)] as const);
    try {
      await step(row, collected(client), Object.fromEntries(further));
    } catch (error) {
      if (!(error instanceof AnswerPending || error instanceof LlmFailure)) throw error;
    }
    yield* asked;
    options.onRow?.(asked.length > 0);
  }
}

/** The client, which notes a request without a kept answer in place of sending it. */
function collecting(
  client: LlmClient,
  cache: PendingOptions['cache'],
  asked: PendingRequest[],
): LlmClient {
  const chat = async (request: ChatRequest): Promise<ChatResult> => {
    if (cache?.has(client.hashOf(request)) === true) return client.chat(request);
    asked.push({ request, client });
    throw new AnswerPending();
  };
  return {
    model: client.model,
    capabilities: client.capabilities,
    chat,
    json: (request, schema) => client.json(request, schema, { ask: chat }),
    embed: (texts, options) => client.embed(texts, options),
    count: (messages) => client.count(messages),
    hashOf: (request) => client.hashOf(request),
    close: () => Promise.resolve(), // whoever opened it closes it
  };
}
