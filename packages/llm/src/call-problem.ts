/**
 * What went wrong with one request, and of which class of the retry table it is.
 */
import { retryAfterMs } from '@lab/core';
import type { TokenUsage } from './chat.js';
import type { FailureKind } from './llm-failure.js';
import { keptBody, type Redactor } from './redact.js';
import type { TransportAnswer } from './transport.js';
import type { TransportError, TransportProblem } from './transport-error.js';

/** Rows of the retry table. */
export type ProblemClass =
  | 'empty'
  | 'final'
  | 'parameter'
  | 'rate-limit'
  | 'refused'
  | 'timeout'
  | 'transient';

/** One request that gave no usable answer. */
export interface CallProblem {
  readonly class: ProblemClass;
  readonly kind: FailureKind;
  /** What happened, without where. */
  readonly message: string;
  readonly status?: number | undefined;
  /** What the server asks to wait, uncapped; null where it names nothing. */
  readonly retryAfterMs: number | null;
  /** The parameter that the server does not take, as it stands in the body. */
  readonly parameter?: string | undefined;
  /** The name that the server wants in its place. */
  readonly replacement?: string | undefined;
  readonly body?: string | undefined;
  readonly help?: string | undefined;
  /** Tokens of an answer that is of no use, as the server counted them. */
  readonly usage?: TokenUsage | undefined;
  /**
   * What came of an answer whose tokens the server did not count; null where nothing came, although
   * the server may have worked on the request. Absent where it has not.
   */
  readonly uncountedText?: string | null | undefined;
  readonly cause?: unknown;
}

/** What an answer of no use did cost: its count, or the text to estimate it by. */
export type AnswerCost = Pick<CallProblem, 'uncountedText' | 'usage'>;

const transportProblems: Readonly<
  Record<TransportProblem, { class: ProblemClass; kind: FailureKind; help?: string }>
> = {
  aborted: { class: 'final', kind: 'aborted' },
  certificate: {
    class: 'final',
    kind: 'network',
    help: 'name the file of the certificate that signs the server as `ca`.',
  },
  // A prompt that is slow stays slow, a way to the server does not.
  'connect-timeout': { class: 'transient', kind: 'timeout' },
  'first-byte-timeout': { class: 'timeout', kind: 'timeout' },
  'idle-timeout': { class: 'timeout', kind: 'timeout' },
  network: {
    class: 'transient',
    kind: 'network',
    help: 'look whether the server runs and the base URL is right.',
  },
  'too-large': { class: 'final', kind: 'server' },
  'total-timeout': {
    class: 'timeout',
    kind: 'timeout',
    help: 'raise timeoutMs, or ask for fewer tokens.',
  },
};

/** The problem of a request that brought no answer. */
export function problemOfError(error: TransportError, redact: Redactor): CallProblem {
  const { class: row, kind, help } = transportProblems[error.problem];
  // Causes of the network may hold addresses with passwords; an abort's is the caller's own.
  const cause = error.problem === 'aborted' ? error.cause : undefined;
  const problem = { class: row, kind, help, message: redact(error.message), retryAfterMs: null };
  return { ...problem, cause, uncountedText: error.isSent ? null : undefined };
}

const transientStatus = (status: number): boolean =>
  [408, 409, 425, 500, 502, 503, 504].includes(status) || (status >= 520 && status <= 529);

/** What an answer says about an error, whichever form the server gives it. */
interface ErrorBody {
  readonly message: string;
  readonly code: string;
  readonly param: string | null;
}

/** The problem of an answer whose status is not 200. */
export function problemOfAnswer(
  answer: TransportAnswer,
  context: { readonly redact: Redactor; readonly date: number },
): CallProblem {
  const { status } = answer;
  const said = errorBody(answer.body);
  const about = said.message === '' ? '' : `: ${context.redact(said.message.slice(0, 300))}`;
  const base = {
    message: `the server answered ${status}${about}`,
    status,
    retryAfterMs: retryAfterMs(answer.headers, context.date),
    body: keptBody(answer.body, context.redact),
  };
  const judgement = judge(status, said, base.retryAfterMs !== null);
  const hasWorked = mayHaveWorked(status, judgement.kind);
  return { ...base, ...judgement, uncountedText: hasWorked ? null : undefined };
}

/**
 * Whether a server may have worked on what it answers so, and charge for it: filters read prompts,
 * and some fail or give up late. What is refused by its length or for want of room is not read.
 *
 * Source: Azure OpenAI, "Manage costs", HTTP error response code and billing status.
 */
function mayHaveWorked(status: number, kind: FailureKind): boolean {
  return kind === 'content-filter' || status === 408 || (status >= 500 && status !== 503);
}

type Judgement = Pick<CallProblem, 'class' | 'kind' | 'help' | 'parameter' | 'replacement'>;

function judge(status: number, said: ErrorBody, hasRetryAfter: boolean): Judgement {
  if (status === 429 && isQuota(said)) {
    const help = 'look after the account of the server, then resume.';
    return { class: 'final', kind: 'quota', help };
  }
  if (status === 429) return { class: 'rate-limit', kind: 'rate-limit' };
  if (status === 503 && hasRetryAfter) return { class: 'rate-limit', kind: 'server' };
  if (transientStatus(status)) return { class: 'transient', kind: 'server' };
  if (status === 401 || status === 403) {
    return { class: 'final', kind: 'auth', help: 'look whether the API key is right.' };
  }
  if (status === 402) return { class: 'final', kind: 'quota' };
  if (status === 404) {
    const help = 'look whether the model and the base URL (mostly ending in /v1) are right.';
    return { class: 'final', kind: 'auth', help };
  }
  if (status === 413) return { class: 'final', kind: 'context-length' };
  if (status === 400 || status === 422) return judgeRequest(said);
  if (status > 500) return { class: 'final', kind: 'server' };
  const help = status < 400 ? 'give the base URL that the server sends on to.' : undefined;
  return { class: 'final', kind: 'bad-request', help };
}

function isQuota({ code, message }: ErrorBody): boolean {
  return (
    /insufficient_quota|billing/.test(code) ||
    /insufficient.quota|exceeded your current quota|billing (details|hard limit)/i.test(message)
  );
}

/** Any of several patterns, whatever the case of letters. */
const anyOf = (...patterns: readonly string[]): RegExp => new RegExp(patterns.join('|'), 'i');

const contextLength = anyOf(
  ...['context.?(length|window|size)', 'maximum.{0,20}(context|tokens)', 'too many tokens'],
  ...['prompt is too long', 'exceeds?.{0,40}(context|max_model_len)', 'input.{0,20}too long'],
);

function judgeRequest(said: ErrorBody): Judgement {
  if (/content_?filter|content_policy|ResponsibleAI/i.test(`${said.code} ${said.message}`)) {
    return { class: 'refused', kind: 'content-filter' };
  }
  // First of all the parameter: "max_tokens is not supported" speaks of no context.
  const unknown = unknownParameter(said);
  if (unknown !== null) return { class: 'parameter', kind: 'bad-request', ...unknown };
  if (/context_length|string_above_max/.test(said.code) || contextLength.test(said.message)) {
    const help = 'shorten the prompt, or lower maxTokens.';
    return { class: 'final', kind: 'context-length', help };
  }
  return { class: 'final', kind: 'bad-request' };
}

const refusesParameter = anyOf(
  ...['unsupported', 'not supported', 'does not support', 'only the default', 'unrecogni[sz]ed'],
  ...['unknown', 'unexpected', 'not permitted', 'not allowed', 'extra_forbidden'],
);

/** The parameter that a 400 does not take, and the one that it wants. */
function unknownParameter(said: ErrorBody): Pick<CallProblem, 'parameter' | 'replacement'> | null {
  if (!refusesParameter.test(`${said.code} ${said.message}`)) return null;
  const named = said.param ?? quotedName(said.message);
  if (named === null) return null;
  const parameter = named.replace(/^body\./, '').replace(/[.[].*$/, '');
  const replacement = /use ['"`]?(\w+)['"`]? instead/i.exec(said.message)?.[1];
  return { parameter, replacement };
}

function quotedName(message: string): string | null {
  const quoted = /['"`]([a-z][a-z0-9_.]*)['"`]/.exec(message)?.[1];
  const listed = /(?:supplied|parameters?|arguments?|fields?):\s?([a-z][a-z0-9_]*)/i.exec(message);
  return quoted ?? listed?.[1] ?? null;
}

function errorBody(text: string): ErrorBody {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return { message: text.trim(), code: '', param: null }; // proxies answer in HTML or plain text
  }
  const outer = record(data);
  const inner = typeof outer['error'] === 'object' ? record(outer['error']) : outer;
  const message = inner['message'] ?? outer['detail'] ?? outer['error'] ?? '';
  return {
    message: typeof message === 'string' ? message : JSON.stringify(message),
    code: `${textOr(inner['code'])} ${textOr(inner['type'])}`.trim(),
    param: typeof inner['param'] === 'string' && inner['param'] !== '' ? inner['param'] : null,
  };
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

const textOr = (value: unknown): string => (typeof value === 'string' ? value : '');
