/**
 * Bodies of answers, put together from parts so that many a second can be written.
 */
import type { FakeAnswer } from './fake-answer.js';
import { type FakeAlternatives, logprobsOf } from './fake-logprobs.js';
import { splitTokens } from './fake-tokens.js';

/** All that stands in a body. */
export interface BodyFacts {
  readonly id: string;
  readonly model: string;
  readonly answers: readonly FakeAnswer[];
  /** Undefined where the script leaves usage out. */
  readonly usage: string | undefined;
  /** Undefined without log probabilities. */
  readonly logprobs: { readonly top: number; readonly scripted: FakeAlternatives } | undefined;
}

/** The moment that every answer claims, so that equal requests get equal bytes. */
const created = 1_700_000_000;

/** The usage of an answer as JSON. */
export function usageJson(
  prompt: number,
  answers: readonly FakeAnswer[],
  cached: number | undefined,
): string {
  let completion = 0;
  let reasoning = 0;
  for (const answer of answers) {
    completion += answer.tokens;
    reasoning += answer.reasoningTokens;
  }
  const total = prompt + completion;
  const base =
    `{"prompt_tokens":${prompt},"completion_tokens":${completion},` + `"total_tokens":${total}`;
  const ofPrompt =
    cached === undefined
      ? ''
      : `,"prompt_tokens_details":{"cached_tokens":${Math.min(cached, prompt)}}`;
  const ofCompletion =
    reasoning === 0 ? '' : `,"completion_tokens_details":{"reasoning_tokens":${reasoning}}`;
  return `${base}${ofPrompt}${ofCompletion}}`;
}

function head(facts: BodyFacts, prefix: string, object: string): string {
  return (
    `{"id":"${prefix}-${facts.id}","object":"${object}","created":${created},` +
    `"model":${JSON.stringify(facts.model)},"choices":`
  );
}

function tail(usage: string | undefined): string {
  return usage === undefined ? '}' : `,"usage":${usage}}`;
}

function chatLogprobs(facts: BodyFacts, text: string | null): string {
  if (facts.logprobs === undefined || text === null) return 'null';
  const { top, scripted } = facts.logprobs;
  return JSON.stringify({ content: logprobsOf(text, top, scripted) });
}

/** The body of a chat completion. */
export function chatBody(facts: BodyFacts): string {
  const choices = facts.answers.map((answer, index) => {
    const { content, reasoning, reasoningKey, refusal, finish } = answer;
    const extra =
      (reasoning === null ? '' : `,"${reasoningKey}":${JSON.stringify(reasoning)}`) +
      (refusal === null ? '' : `,"refusal":${JSON.stringify(refusal)}`);
    return (
      `{"index":${index},"message":{"role":"assistant",` +
      `"content":${JSON.stringify(content)}${extra}}` +
      `,"logprobs":${chatLogprobs(facts, content)},"finish_reason":"${finish}"}`
    );
  });
  return `${head(facts, 'chatcmpl', 'chat.completion')}[${choices.join(',')}]${tail(facts.usage)}`;
}

/** The body of a completion of the older kind. */
export function completionBody(facts: BodyFacts): string {
  const choices = facts.answers.map((answer, index) =>
    JSON.stringify({
      index,
      text: answer.content ?? '',
      logprobs: completionLogprobs(facts, answer.content ?? ''),
      finish_reason: answer.finish,
    }),
  );
  return `${head(facts, 'cmpl', 'text_completion')}[${choices.join(',')}]${tail(facts.usage)}`;
}

function completionLogprobs(facts: BodyFacts, text: string): object | null {
  if (facts.logprobs === undefined) return null;
  const tokens = logprobsOf(text, facts.logprobs.top, facts.logprobs.scripted);
  let offset = 0;
  return {
    tokens: tokens.map((item) => item.token),
    token_logprobs: tokens.map((item) => item.logprob),
    top_logprobs: tokens.map((item) =>
      Object.fromEntries(item.top_logprobs.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: tokens.map((item) => {
      const at = offset;
      offset += item.token.length;
      return at;
    }),
  };
}

/** Server-sent events of a chat completion or a completion, the last one `[DONE]`. */
export function streamEvents(facts: BodyFacts, isChat: boolean, withUsage: boolean): string[] {
  const first = isChat
    ? head(facts, 'chatcmpl', 'chat.completion.chunk')
    : head(facts, 'cmpl', 'text_completion');
  const usage = withUsage ? ',"usage":null}' : '}';
  const events: string[] = [];
  const push = (choice: string): void => {
    events.push(`data: ${first}[${choice}]${usage}\n\n`);
  };
  for (const [index, answer] of facts.answers.entries()) {
    if (isChat) pushChat(facts, answer, index, push);
    else pushCompletion(answer, index, push);
  }
  if (withUsage && facts.usage !== undefined) {
    events.push(`data: ${first}[]${tail(facts.usage)}\n\n`);
  }
  events.push('data: [DONE]\n\n');
  return events;
}

function pushChat(
  facts: BodyFacts,
  answer: FakeAnswer,
  index: number,
  push: (choice: string) => void,
): void {
  const delta = (json: string, logprobs = 'null', finish = 'null'): void => {
    push(`{"index":${index},"delta":${json},"logprobs":${logprobs},"finish_reason":${finish}}`);
  };
  delta('{"role":"assistant","content":""}');
  for (const token of splitTokens(answer.reasoning ?? '')) {
    delta(`{"${answer.reasoningKey}":${JSON.stringify(token)}}`);
  }
  for (const token of splitTokens(answer.content ?? '')) {
    const logprobs = facts.logprobs === undefined ? 'null' : chatLogprobs(facts, token);
    delta(`{"content":${JSON.stringify(token)}}`, logprobs);
  }
  if (answer.refusal !== null) delta(`{"refusal":${JSON.stringify(answer.refusal)}}`);
  delta('{}', 'null', `"${answer.finish}"`);
}

function pushCompletion(answer: FakeAnswer, index: number, push: (choice: string) => void): void {
  for (const token of splitTokens(answer.content ?? '')) {
    push(`{"index":${index},"text":${JSON.stringify(token)},"logprobs":null,"finish_reason":null}`);
  }
  push(`{"index":${index},"text":"","logprobs":null,"finish_reason":"${answer.finish}"}`);
}
