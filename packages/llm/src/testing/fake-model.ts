/**
 * The misbehaving model without its server: a request in, a reply out.
 */
import type { Clock } from '../clock.js';
import { answerTo, type FakeAnswer, seenPrompt } from './fake-answer.js';
import { type BodyFacts, chatBody, completionBody, streamEvents, usageJson } from './fake-body.js';
import { embeddingBody } from './fake-embeddings.js';
import { invalid, rejectionOf, rejectionOfForm } from './fake-faults.js';
import { shareOf } from './fake-hash.js';
import {
  errorReply,
  type FakeReply,
  goodReply,
  type JsonReply,
  type StreamReply,
} from './fake-reply.js';
import { type FakeRequest, numberAt, objectAt } from './fake-request.js';
import { type ChosenRules, compileRules } from './fake-rules.js';
import type { FakeRule, ParsedFakeScript } from './fake-script.js';
import { splitTokens } from './fake-tokens.js';

/** A reply and when it comes. */
export interface TimedReply {
  readonly reply: FakeReply;
  /** Milliseconds before anything is sent. */
  readonly delayMs: number;
  /** Milliseconds between the events of a stream. */
  readonly eventMs: number;
}

/** What replies to requests by a script. */
export interface FakeModel {
  readonly script: ParsedFakeScript;
  respond(request: FakeRequest): TimedReply;
}

/** What a model depends on besides its script. */
export interface FakeModelOptions {
  readonly seed: number;
  /** Milliseconds before every answer without a `latency` rule. */
  readonly latencyMs: number;
  readonly clock: Clock;
}

/** A model that follows a script. */
export function createFakeModel(script: ParsedFakeScript, options: FakeModelOptions): FakeModel {
  const choose = compileRules(script, options.seed);
  return {
    script,
    respond(request) {
      const rules = choose(request);
      const latency = rules.get('latency');
      const reply = replyTo(request, rules, { script, clock: options.clock });
      const tokenMs = latency?.tokenMs ?? 0;
      const spread = latency === undefined ? 0 : latency.spreadMs * shareOf(request.hash, 977);
      const isStream = reply.kind === 'stream';
      const wholeMs = isStream || tokenMs === 0 ? 0 : tokenMs * tokensOf(reply);
      return {
        reply,
        delayMs: (latency?.ms ?? options.latencyMs) + spread + wholeMs,
        eventMs: tokenMs,
      };
    },
  };
}

function tokensOf(reply: FakeReply): number {
  return reply.kind === 'json' ? (reply.usage?.completion ?? 0) : 0;
}

interface Setting {
  readonly script: ParsedFakeScript;
  readonly clock: Clock;
}

function replyTo(request: FakeRequest, rules: ChosenRules, setting: Setting): FakeReply {
  const { script, clock } = setting;
  for (const rule of rules.faults) {
    const faulty =
      rejectionOf(rule, request, clock) ?? brokenBy(rule, () => wholeReply(request, rules, script));
    if (faulty !== undefined) return faulty;
  }
  return rejectionOfForm(request, rules) ?? wholeReply(request, rules, script);
}

/** What a rule leaves of an answer, where it is one that breaks answers. */
function brokenBy(rule: FakeRule, wholeOf: () => JsonReply | StreamReply): FakeReply | undefined {
  switch (rule.do) {
    case 'cut':
    case 'hang':
      return { kind: rule.do, at: rule.at, whole: wholeOf() };
    case 'stream-error':
      return brokenStream(wholeOf(), rule.message);
    case 'broken-json': {
      const whole = wholeOf();
      return whole.kind === 'json' ? broken(whole, rule.body) : undefined;
    }
    default:
      return undefined;
  }
}

/** An engine that dies after the first tokens can say so in the stream only. */
function brokenStream(whole: JsonReply | StreamReply, message: string): JsonReply | StreamReply {
  const failed = errorReply(500, { message, type: 'server_error', code: null });
  if (whole.kind === 'json') return failed;
  const begun = whole.events.slice(0, Math.ceil(whole.events.length / 2));
  return { ...whole, events: [...begun, `data: ${failed.body}\n\n`], usage: undefined };
}

function broken(whole: JsonReply, body: string | undefined): JsonReply {
  return { ...whole, body: body ?? whole.body.slice(0, Math.floor(whole.body.length * 0.7)) };
}

function wholeReply(
  request: FakeRequest,
  rules: ChosenRules,
  script: ParsedFakeScript,
): JsonReply | StreamReply {
  switch (request.endpoint) {
    case 'chat':
    case 'completions':
      return answerReply(request, rules, script);
    case 'embeddings':
      return embeddingReply(request, rules, script);
    case 'models':
      return modelsReply(script);
    case 'tokenize':
      return tokenizeReply(request, script);
  }
}

function answerReply(
  request: FakeRequest,
  rules: ChosenRules,
  script: ParsedFakeScript,
): JsonReply | StreamReply {
  const { body } = request;
  const isChat = request.endpoint === 'chat';
  if (isChat && !Array.isArray(body['messages'])) {
    return invalid("Missing required parameter: 'messages'.", 'messages');
  }
  const seen = seenPrompt(request, rules);
  const count = rules.get('one-choice') === undefined ? (numberAt(body, 'n') ?? 1) : 1;
  const answers: FakeAnswer[] = [];
  for (let i = 0; i < count; i += 1) answers.push(answerTo(request, rules, seen, i));
  const cached = rules.get('cached-tokens')?.tokens;
  const isCounted = rules.get('no-usage') === undefined;
  const facts: BodyFacts = {
    id: request.hash.slice(0, 24),
    model: servedModel(request, rules, script),
    answers,
    usage: isCounted ? usageJson(seen.tokens, answers, cached) : undefined,
    logprobs: wantedLogprobs(request, rules),
  };
  const usage = { prompt: seen.tokens, completion: sumTokens(answers) };
  const headers = rateHeaders(request, rules);
  if (body['stream'] !== true) {
    return goodReply(isChat ? chatBody(facts) : completionBody(facts), usage, headers);
  }
  const withUsage = objectAt(body, 'stream_options')['include_usage'] === true;
  const events = streamEvents(facts, isChat, withUsage && isCounted);
  return { kind: 'stream', headers, events, usage };
}

function sumTokens(answers: readonly FakeAnswer[]): number {
  let tokens = 0;
  for (const answer of answers) tokens += answer.tokens;
  return tokens;
}

function servedModel(request: FakeRequest, rules: ChosenRules, script: ParsedFakeScript): string {
  const asked = request.body['model'];
  const own = typeof asked === 'string' ? asked : script.model;
  return rules.get('wrong-model')?.name ?? own;
}

function wantedLogprobs(request: FakeRequest, rules: ChosenRules): BodyFacts['logprobs'] {
  const { body, endpoint } = request;
  if (rules.get('no-logprobs') !== undefined) return undefined;
  const scripted = rules.get('alternatives')?.of ?? {};
  if (endpoint === 'completions') {
    const top = numberAt(body, 'logprobs');
    return top === undefined ? undefined : { top, scripted };
  }
  if (body['logprobs'] !== true) return undefined;
  return { top: numberAt(body, 'top_logprobs') ?? 0, scripted };
}

function rateHeaders(request: FakeRequest, rules: ChosenRules): Record<string, string> {
  const rule = rules.get('rate-headers');
  const headers: Record<string, string> = {};
  for (const [name, limit] of [
    ['requests', rule?.requests],
    ['tokens', rule?.tokens],
  ] as const) {
    if (limit === undefined) continue;
    headers[`x-ratelimit-limit-${name}`] = String(limit);
    headers[`x-ratelimit-remaining-${name}`] = String(Math.max(0, limit - request.concurrent));
    headers[`x-ratelimit-reset-${name}`] = '60ms';
  }
  return headers;
}

function embeddingReply(
  request: FakeRequest,
  rules: ChosenRules,
  script: ParsedFakeScript,
): JsonReply {
  const { body } = request;
  const { input } = body;
  const texts = (Array.isArray(input) ? input : [input]).map((item) =>
    typeof item === 'string' ? item : JSON.stringify(item),
  );
  const { body: text, tokens } = embeddingBody({
    texts,
    model: servedModel(request, rules, script),
    width: numberAt(body, 'dimensions') ?? script.embeddingWidth,
    isBase64: body['encoding_format'] === 'base64',
    isShuffled: rules.get('shuffle-embeddings') !== undefined,
    isUneven: rules.get('uneven-embeddings') !== undefined,
  });
  return goodReply(text, { prompt: tokens, completion: 0 });
}

function modelsReply(script: ParsedFakeScript): JsonReply {
  const model = {
    id: script.model,
    object: 'model',
    created: 1_700_000_000,
    owned_by: 'fake',
    max_model_len: script.contextTokens,
  };
  return goodReply(JSON.stringify({ object: 'list', data: [model] }));
}

function tokenizeReply(request: FakeRequest, script: ParsedFakeScript): JsonReply {
  const pieces = splitTokens(request.prompt);
  const extra = Array.isArray(request.body['messages']) ? 3 : 0;
  const tokens = Array.from({ length: pieces.length + extra }, (_, index) => index);
  const max_model_len = script.contextTokens;
  return goodReply(JSON.stringify({ count: tokens.length, max_model_len, tokens }));
}
