/**
 * Traces of calls, for whoever collects those of a whole system.
 */
import type { ChatRequest, ChatResult } from './chat.js';
import type { LlmClient } from './llm-client.js';
import { LlmFailure } from './llm-failure.js';
import { requestDefaults } from './request-hash.js';

/** The part of an OpenTelemetry span that is used here. */
export interface TraceSpan {
  setAttributes(attributes: Readonly<Record<string, TraceValue>>): unknown;
  /** Code 2 is an error. */
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  end(): void;
}

/** What a span can hold. */
export type TraceValue = boolean | number | string | string[];

/** The part of an OpenTelemetry tracer that is used here: `trace.getTracer('name')` is one. */
export interface Tracer {
  startSpan(
    name: string,
    options: { readonly kind: number; readonly attributes: Readonly<Record<string, TraceValue>> },
  ): TraceSpan;
}

/** `SpanKind.CLIENT` of OpenTelemetry. */
const clientKind = 2;
const errorStatus = 2;

/**
 * A client whose calls are spans with the attributes `gen_ai.*`: one for each chat, the calls of an
 * answer in JSON each for itself, and one for each list of embeddings. Prompts and answers are not
 * part of them. Nothing is traced unless such a client is made.
 *
 * Source: OpenTelemetry semantic conventions for generative AI, spans of clients.
 *
 * @param provider - `gen_ai.provider.name`, as these conventions call the server's maker.
 */
export function tracedClient(client: LlmClient, tracer: Tracer, provider = 'openai'): LlmClient {
  const start = (operation: string, more: Readonly<Record<string, TraceValue>>): TraceSpan =>
    tracer.startSpan(`${operation} ${client.model}`, {
      kind: clientKind,
      attributes: {
        'gen_ai.operation.name': operation,
        'gen_ai.provider.name': provider,
        'gen_ai.request.model': client.model,
        ...more,
      },
    });
  const chat = async (request: ChatRequest): Promise<ChatResult> => {
    const span = start('chat', requestAttributes(request));
    return within(span, client.chat(request), resultAttributes);
  };
  return {
    model: client.model,
    capabilities: client.capabilities,
    chat,
    json: (request, schema, { ask = chat } = {}) => client.json(request, schema, { ask }),
    embed: (texts, options) =>
      within(start('embeddings', {}), client.embed(texts, options), ({ usage, width }) => ({
        'gen_ai.usage.input_tokens': usage.prompt,
        'gen_ai.embeddings.dimension.count': width,
      })),
    count: (messages) => client.count(messages),
    hashOf: (request) => client.hashOf(request),
    close: () => client.close(),
  };
}

function requestAttributes(request: ChatRequest): Record<string, TraceValue> {
  const { temperature, topP, maxTokens, seed, stop } = request;
  return {
    'gen_ai.request.temperature': temperature ?? requestDefaults.temperature,
    'gen_ai.request.top_p': topP ?? requestDefaults.topP,
    'gen_ai.request.max_tokens': maxTokens ?? requestDefaults.maxTokens,
    ...(seed === undefined ? {} : { 'gen_ai.request.seed': seed }),
    ...(stop === undefined ? {} : { 'gen_ai.request.stop_sequences': [...stop] }),
  };
}

function resultAttributes(result: ChatResult): Record<string, TraceValue> {
  const { usage, costUsd } = result;
  return {
    'gen_ai.response.model': result.servedModel,
    'gen_ai.response.finish_reasons': [result.finish],
    'gen_ai.usage.input_tokens': usage.prompt,
    'gen_ai.usage.output_tokens': usage.completion,
    'lab.llm.cached': result.isCached,
    'lab.llm.requests': result.attempts,
    ...(costUsd === null ? {} : { 'lab.llm.cost_usd': costUsd }),
  };
}

async function within<T>(
  span: TraceSpan,
  call: Promise<T>,
  attributesOf: (value: T) => Readonly<Record<string, TraceValue>>,
): Promise<T> {
  try {
    const value = await call;
    span.setAttributes(attributesOf(value));
    return value;
  } catch (error) {
    const type = error instanceof LlmFailure ? error.kind : 'internal';
    span.setAttributes({ 'error.type': type });
    span.setStatus({ code: errorStatus, message: type });
    throw error;
  } finally {
    span.end();
  }
}
