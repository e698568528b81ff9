/**
 * A request to the chat endpoint and the reading of its answer.
 */
import { type AnswerCost, type CallProblem, problemOfAnswer } from './call-problem.js';
import type { EndSignal } from './call-signal.js';
import type { ChatRequest } from './chat.js';
import { type ChatAnswer, costOf, judgeChat } from './chat-answer.js';
import { type BodyOptions, chatBody } from './chat-body.js';
import { createEventStream, type EventStream } from './event-stream.js';
import { type ChatCollector, createChatCollector, type RawChat, readChat } from './raw-chat.js';
import { keptBody, type Redactor } from './redact.js';
import { requestDefaults } from './request-hash.js';
import type { Call, Reading } from './servers.js';
import type { TransportAnswer } from './transport.js';
import { characterCount } from './tokens.js';

/** What all requests of a client share. */
export interface ChatSetting extends BodyOptions {
  readonly redact: Redactor;
  readonly now: () => number;
}

/** A call, how its answer is read, and how long it took. */
export interface ChatCall {
  readonly call: Call;
  readonly read: (answer: TransportAnswer) => Reading<ChatAnswer>;
  /** Milliseconds from the last sending until the answer was there. */
  readonly latencyMs: () => number;
}

/** Of an English token. */
const BYTES_PER_TOKEN = 3;

/**
 * The call of a request.
 *
 * @param signal - ends it, in place of the request's own.
 */
export function createChatCall(
  request: ChatRequest,
  setting: ChatSetting,
  signal?: EndSignal,
): ChatCall {
  const { adaptations, redact, now } = setting;
  const stream = { collector: null as ChatCollector | null, events: null as EventStream | null };
  let sentAt = now();
  let endedAt = sentAt;
  let body: string | null = null;
  let adapted = 0;
  const call: Call = {
    path: '/chat/completions',
    tag: request.tag ?? '',
    tokens: estimatedTokens(request),
    messages: request.messages,
    timeoutMs: request.timeoutMs,
    signal,
    failed: new Set(),
    body: () => {
      sentAt = now();
      const changes = adaptations.dropped.size + adaptations.renamed.size;
      if (body === null || changes !== adapted) body = chatBody(request, setting);
      adapted = changes;
      return body;
    },
    onEnd: () => {
      endedAt = now();
    },
    partCost: () => partCost(stream.collector),
    onStream: setting.isStreamed
      ? () => {
          const collector = createChatCollector(() => now() - sentAt);
          const events = createEventStream((data) => collector.add(data));
          Object.assign(stream, { collector, events });
          return (text) => events.push(text);
        }
      : undefined,
  };
  const read = (answer: TransportAnswer): Reading<ChatAnswer> => {
    stream.events?.end();
    const collector = answer.isStream ? stream.collector : null;
    const raw = collector === null ? readChat(answer.body) : collector.finish();
    const error = collector === null ? errorIn(raw, answer.body) : collector.error;
    if (error !== null) {
      const problem = { ...statedProblem(error, redact), ...partCost(collector) };
      return { outcome: { problem }, tokens: null };
    }
    const outcome = judgeChat(raw, redact);
    if (raw !== null || outcome.problem === undefined) return { outcome, tokens: tokensOf(raw) };
    const body = keptBody(answer.body, redact);
    const problem = { ...outcome.problem, body, ...partCost(collector) };
    return { outcome: { problem }, tokens: null };
  };
  return { call, read, latencyMs: () => endedAt - sentAt };
}

/** What came of a stream that is of no use did cost; nothing to say where nothing came. */
function partCost(collector: ChatCollector | null): AnswerCost {
  const cost = collector === null ? {} : costOf(collector.part());
  return cost.usage === undefined && (cost.uncountedText ?? '') === '' ? {} : cost;
}

/** Some proxies say with status 200 that the server behind them failed. */
function errorIn(raw: RawChat | null, body: string): string | null {
  return raw === null && statedError(body) !== null ? body : null;
}

/** The problem of an error that is stated within an answer, with the status that stands there. */
function statedProblem(body: string, redact: Redactor): CallProblem {
  const { code, status = code } = statedError(body) ?? {};
  const isStatus = typeof status === 'number' && status >= 400 && status < 600;
  const answer = { status: isStatus ? status : 500, headers: {}, body, isStream: false };
  return problemOfAnswer(answer, { redact, date: 0 });
}

function statedError(body: string): { code?: unknown; status?: unknown } | null {
  try {
    const { error } = (JSON.parse(body) ?? {}) as { readonly error?: unknown };
    return typeof error === 'object' && error !== null ? error : null;
  } catch {
    return null; // broken JSON states nothing
  }
}

function estimatedTokens({ messages, maxTokens }: ChatRequest): number {
  return (
    Math.ceil(characterCount(messages) / BYTES_PER_TOKEN) + (maxTokens ?? requestDefaults.maxTokens)
  );
}

function tokensOf(raw: RawChat | null): number | null {
  const total = raw?.usage?.['total_tokens'];
  return typeof total === 'number' ? total : null;
}
