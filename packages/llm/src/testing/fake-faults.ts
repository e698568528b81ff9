/**
 * How the misbehaving server fails.
 */
import type { Clock } from '../clock.js';
import { type FakeRequest, numberAt, objectAt } from './fake-request.js';
import type { ChosenRules } from './fake-rules.js';
import { errorReply, type JsonReply } from './fake-reply.js';
import type { FakeRule, FakeRuleOf } from './fake-script.js';
import { countTokens } from './fake-tokens.js';

/** The rejection that a rule has for a request, if any. */
export function rejectionOf(
  rule: FakeRule,
  request: FakeRequest,
  clock: Clock,
): JsonReply | undefined {
  const { body } = request;
  switch (rule.do) {
    case 'status':
      return statusReply(rule, clock);
    case 'rate-limit':
      return tooMany(rule, clock);
    case 'overload':
      return request.concurrent > rule.concurrent ? overloaded(rule.status) : undefined;
    case 'quota':
      return errorReply(429, {
        message: 'You exceeded your current quota, please check your plan and billing details.',
        type: 'insufficient_quota',
        code: 'insufficient_quota',
      });
    case 'content-filter':
      return rule.form === 'error' ? filtered() : undefined;
    case 'context-length':
      return tooLong(rule, request);
    case 'api-key':
      return rule.keys.includes(request.apiKey) ? undefined : wrongKey();
    case 'known-models':
      return rule.names.includes(String(body['model']))
        ? undefined
        : noModel(String(body['model']));
    case 'refuse-parameter':
      return body[rule.parameter] === undefined ? undefined : refused(rule);
    case 'no-json-schema':
      return objectAt(body, 'response_format')['type'] === 'json_schema' ? noSchema() : undefined;
    default:
      return undefined;
  }
}

/** The rejection of what the script's server does not do, if the request asks for it. */
export function rejectionOfForm(request: FakeRequest, rules: ChosenRules): JsonReply | undefined {
  const { body } = request;
  if (rules.get('no-logprobs')?.form === 'refuse' && (body['logprobs'] ?? false) !== false) {
    return invalid('logprobs are not supported by this model.', 'logprobs');
  }
  if (rules.get('one-choice')?.form === 'refuse' && (numberAt(body, 'n') ?? 1) > 1) {
    return invalid('Only one completion choice is allowed.', 'n');
  }
  return undefined;
}

/** A 400 about one parameter. */
export function invalid(message: string, param?: string, code: string | null = null): JsonReply {
  return errorReply(400, { message, type: 'invalid_request_error', code, param });
}

const phrases: Readonly<Record<number, readonly [string, string, string | null]>> = {
  401: ['Incorrect API key provided.', 'invalid_request_error', 'invalid_api_key'],
  403: ['You are not allowed to use this model.', 'permission_error', 'permission_denied'],
  404: ['The model does not exist.', 'invalid_request_error', 'model_not_found'],
  408: ['Request timed out.', 'timeout', null],
  409: ['The request conflicts with another one.', 'conflict', null],
  425: ['Too early.', 'too_early', null],
  503: ['The server is overloaded.', 'server_error', null],
};

function statusReply(rule: FakeRuleOf<'status'>, clock: Clock): JsonReply {
  const known = phrases[rule.status];
  const [text, type, known2] = known ?? ['The server had an error.', 'server_error', null];
  const facts = { message: rule.message ?? text, type, code: rule.code ?? known2 };
  return errorReply(rule.status, facts, retryHeaders(rule, clock));
}

function overloaded(status: 429 | 503): JsonReply {
  const message = 'The server has no room for further requests.';
  const type = status === 429 ? 'requests' : 'server_error';
  return errorReply(status, { message, type, code: status === 429 ? 'rate_limit_exceeded' : null });
}

interface RetryFacts {
  readonly retryAfter: FakeRuleOf<'rate-limit'>['retryAfter'];
  readonly waitMs?: number;
}

function tooMany(rule: RetryFacts, clock: Clock): JsonReply {
  const message = 'Rate limit reached, please slow down.';
  const facts = { message, type: 'requests', code: 'rate_limit_exceeded' };
  return errorReply(429, facts, retryHeaders(rule, clock));
}

function retryHeaders(
  { retryAfter, waitMs = 0 }: RetryFacts,
  clock: Clock,
): Record<string, string> {
  switch (retryAfter) {
    case 'milliseconds':
      return { 'retry-after-ms': String(waitMs) };
    case 'seconds':
      return { 'retry-after': String(waitMs / 1000) };
    case 'date': {
      // A date has whole seconds, so that it is rounded up.
      const now = clock.date();
      const at = Math.ceil((now + waitMs) / 1000) * 1000;
      const date = new Date(now).toUTCString();
      return { 'retry-after': new Date(at).toUTCString(), date };
    }
    case 'none':
      return {};
  }
}

function tooLong(rule: FakeRuleOf<'context-length'>, request: FakeRequest): JsonReply | undefined {
  const asked = countTokens(request.prompt);
  const most = rule.tokens ?? Math.min(8192, asked - 1);
  if (asked <= most) return undefined;
  return invalid(
    `This model's maximum context length is ${most} tokens. However, your messages resulted in ` +
      `${asked} tokens. Please reduce the length of the messages.`,
    'messages',
    'context_length_exceeded',
  );
}

function filtered(): JsonReply {
  return errorReply(400, {
    message: "The response was filtered due to the prompt triggering the server's content policy.",
    type: 'invalid_request_error',
    code: 'content_filter',
    param: 'prompt',
  });
}

function wrongKey(): JsonReply {
  const message = 'Incorrect API key provided.';
  return errorReply(401, { message, type: 'invalid_request_error', code: 'invalid_api_key' });
}

function noModel(model: string): JsonReply {
  const message = `The model \`${model}\` does not exist.`;
  return errorReply(404, { message, type: 'invalid_request_error', code: 'model_not_found' });
}

function refused({ parameter, instead }: FakeRuleOf<'refuse-parameter'>): JsonReply {
  const advice = instead === undefined ? '' : ` Use '${instead}' instead.`;
  const message =
    `Unsupported parameter: '${parameter}' is not supported with this ` + `model.${advice}`;
  return invalid(message, parameter, 'unsupported_parameter');
}

function noSchema(): JsonReply {
  return invalid("response_format of type 'json_schema' is not supported.", 'response_format');
}
