/**
 * What an answer is worth: a result, or a row of the retry table.
 */
import type { AnswerCost, CallProblem } from './call-problem.js';
import type { FinishReason, TokenLogprob, TokenUsage } from './chat.js';
import type { RawChat } from './raw-chat.js';
import { splitReasoning } from './reasoning.js';
import { keptBody, type Redactor } from './redact.js';
import type { Attempt } from './retry.js';

/** An answer that can be used. */
export interface ChatAnswer {
  readonly text: string;
  readonly reasoning: string | null;
  readonly logprobs: readonly TokenLogprob[] | null;
  readonly finish: FinishReason;
  /** Null where the server gave none. */
  readonly usage: TokenUsage | null;
  readonly servedModel: string | null;
  readonly firstTokenMs: number | null;
}

/** Judges an answer of status 200. */
export function judgeChat(raw: RawChat | null, redact: Redactor): Attempt<ChatAnswer> {
  if (raw === null) return { problem: { ...emptyProblem('broken JSON'), uncountedText: null } };
  const ended = endOf(raw, redact);
  if (typeof ended !== 'string') return { problem: { ...ended, ...costOf(raw) } };
  const { text, reasoning, textStart } = splitReasoning(raw.content, raw.reasoning);
  const finish = finishOf(ended);
  if (finish === 'stop' && text.trim() === '') {
    return { problem: { ...emptyProblem('an empty text'), ...costOf(raw) } };
  }
  return {
    value: {
      text,
      reasoning,
      finish,
      logprobs: raw.logprobs === null ? null : readLogprobs(raw.logprobs, textStart),
      usage: countOf(raw),
      servedModel: raw.model === '' ? null : raw.model,
      firstTokenMs: raw.firstTokenMs,
    },
  };
}

/** What the server calls the end of an answer, or what is wrong with it. */
function endOf(raw: RawChat, redact: Redactor): CallProblem | string {
  const { finish, refusal } = raw;
  if (finish === null) return brokenOff;
  if (failedFinish.has(finish)) return failedWithin(finish);
  if (finish === 'content_filter') return refused('content-filter', raw, redact);
  return refusal === null || refusal === '' ? finish : refused('refusal', raw, redact);
}

const countOf = ({ usage }: RawChat): TokenUsage | null =>
  usage === null ? null : readUsage(usage);

/** What an answer of no use did cost. One that broke off before its first word is unknown. */
export function costOf(raw: RawChat): AnswerCost {
  const usage = countOf(raw);
  if (usage !== null) return { usage, uncountedText: undefined };
  const text = `${raw.reasoning ?? ''}${raw.content}${raw.refusal ?? ''}`;
  return { uncountedText: text === '' && isBrokenOff(raw) ? null : text };
}

const isBrokenOff = ({ finish }: RawChat): boolean => finish === null || failedFinish.has(finish);

/** What servers call the end of an answer that they could not finish. */
const failedFinish = new Set(['abort', 'error']);

function failedWithin(finish: string): CallProblem {
  const message = `the server ended the answer with "${finish}"`;
  return { class: 'transient', kind: 'server', status: 200, message, retryAfterMs: null };
}

const brokenOff: CallProblem = {
  ...{ class: 'transient', kind: 'network', retryAfterMs: null },
  message: 'the stream ended before the answer did',
};

function emptyProblem(what: string): CallProblem {
  const message = `the server answered 200 with ${what}`;
  return { class: 'empty', kind: 'server', status: 200, message, retryAfterMs: null };
}

function refused(kind: 'content-filter' | 'refusal', raw: RawChat, redact: Redactor): CallProblem {
  const message = kind === 'refusal' ? 'the model refuses' : 'a content filter stopped the answer';
  const body = keptBody(raw.refusal ?? raw.content, redact);
  return { class: 'refused', kind, status: 200, message, retryAfterMs: null, body };
}

function finishOf(finish: string): FinishReason {
  if (finish === 'length' || finish === 'max_tokens') return 'length';
  if (finish === 'tool_calls' || finish === 'function_call') return 'tool';
  return 'stop';
}

function readUsage(usage: Readonly<Record<string, unknown>>): TokenUsage | null {
  const { prompt_tokens: prompt, completion_tokens: completion } = usage;
  if (typeof prompt !== 'number') return null;
  return {
    prompt,
    completion: typeof completion === 'number' ? completion : 0,
    cached: detail(usage['prompt_tokens_details'], 'cached_tokens'),
    reasoning: detail(usage['completion_tokens_details'], 'reasoning_tokens'),
    isEstimated: false,
  };
}

function detail(value: unknown, name: string): number {
  if (typeof value !== 'object' || value === null) return 0;
  const found = (value as Record<string, unknown>)[name];
  return typeof found === 'number' ? found : 0;
}

/**
 * The tokens of the answer itself: those of reasoning that stood before it in the same text are
 * left out.
 */
function readLogprobs(list: readonly unknown[], textStart: number): TokenLogprob[] {
  const tokens = list.map(readToken);
  if (textStart === 0) return tokens;
  let end = 0;
  let first = 0;
  while (first < tokens.length) {
    end += tokens[first]?.token.length ?? 0;
    if (end > textStart) break;
    first += 1;
  }
  return tokens.slice(first);
}

function readToken(value: unknown): TokenLogprob {
  const { token, logprob } = tokenOf(value);
  const { top_logprobs: top } = (value ?? {}) as Record<string, unknown>;
  return { token, logprob, top: Array.isArray(top) ? top.map(tokenOf) : [] };
}

function tokenOf(value: unknown): { token: string; logprob: number } {
  const { token, logprob } = (value ?? {}) as Record<string, unknown>;
  return {
    token: typeof token === 'string' ? token : '',
    logprob: typeof logprob === 'number' ? logprob : Number.NEGATIVE_INFINITY,
  };
}
