/**
 * A request in the form of the interface.
 */
import type { ChatRequest, ResponseFormat } from './chat.js';
import type { CallProblem } from './call-problem.js';
import { requestDefaults } from './request-hash.js';

/** What a server turned out not to take; kept for all later requests. */
export interface Adaptations {
  readonly dropped: Set<string>;
  readonly renamed: Map<string, string>;
}

/** Nothing is left out. */
export const createAdaptations = (): Adaptations => ({ dropped: new Set(), renamed: new Map() });

/** Without these a request would be another one. */
const indispensable = new Set(['messages', 'model', 'response_format', 'stream', 'max_tokens']);

const alsoDropped: Readonly<Record<string, readonly string[]>> = {
  logprobs: ['top_logprobs'],
  top_logprobs: ['logprobs'],
};

/**
 * Leaves out or renames the parameter that a server refused.
 *
 * @returns whether a request will now be another one than that which was refused.
 */
export function adapt(adaptations: Adaptations, problem: CallProblem): boolean {
  const { parameter, replacement } = problem;
  if (parameter === undefined) return false;
  if (replacement !== undefined && replacement !== parameter) {
    adaptations.renamed.set(parameter, replacement);
    return true;
  }
  if (indispensable.has(parameter)) return false;
  for (const name of [parameter, ...(alsoDropped[parameter] ?? [])]) adaptations.dropped.add(name);
  return true;
}

/** What to send. */
export interface BodyOptions {
  readonly model: string;
  readonly isStreamed: boolean;
  readonly adaptations: Adaptations;
}

/** The request as JSON; temperature, top_p and max_tokens always stand in it. */
export function chatBody(request: ChatRequest, options: BodyOptions): string {
  const { messages, stop, topLogprobs } = request;
  const body: Record<string, unknown> = {
    model: options.model,
    // Fields that a caller added to its messages are none of the server's business.
    messages: messages.map(({ role, content }) => ({ role, content })),
    temperature: request.temperature ?? requestDefaults.temperature,
    top_p: request.topP ?? requestDefaults.topP,
    max_tokens: request.maxTokens ?? requestDefaults.maxTokens,
    stop: stop === undefined || stop.length === 0 ? undefined : stop,
    seed: request.seed,
    logprobs: topLogprobs === undefined ? undefined : true,
    top_logprobs: topLogprobs === undefined || topLogprobs === 0 ? undefined : topLogprobs,
    response_format:
      request.responseFormat === undefined ? undefined : responseFormat(request.responseFormat),
    stream: options.isStreamed ? true : undefined,
    stream_options: options.isStreamed ? { include_usage: true } : undefined,
  };
  if (request.extra !== undefined) Object.assign(body, request.extra);
  const { dropped, renamed } = options.adaptations;
  if (dropped.size > 0 || renamed.size > 0) {
    for (const [from, to] of renamed) {
      if (body[from] !== undefined) body[to] ??= body[from];
      delete body[from];
    }
    for (const name of dropped) delete body[name];
  }
  return JSON.stringify(body);
}

function responseFormat(format: ResponseFormat): object {
  if (format.type === 'json_object') return format;
  const { name, schema } = format;
  return { type: 'json_schema', json_schema: { name, strict: true, schema } };
}
