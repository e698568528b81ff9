/**
 * The result of a call, made from its answer.
 */
import type { ChatRequest, ChatResult, TokenUsage } from './chat.js';
import type { ChatAnswer } from './chat-answer.js';
import type { Prices } from './client-options.js';
import { LlmFailure } from './llm-failure.js';
import type { PromptCheck } from './prompt-check.js';
import type { Retried } from './retry.js';
import { sumOfPaid } from './token-usage.js';
import { countMessages, countTokens } from './tokens.js';
import { estimateOf } from './unreported.js';

/** What a result has besides its answer. */
export interface ResultFacts {
  readonly hash: string;
  readonly latencyMs: number;
  /** As it was asked for. */
  readonly model: string;
  readonly prices: Prices | undefined;
  /** Parameters that the server did not take. */
  readonly adaptations: readonly string[];
  /** Gives warnings about the model that answered. */
  readonly served: (model: string) => readonly string[];
}

/** The result; tokens are estimated where the server counted none. */
export async function chatResult(
  request: ChatRequest,
  { value: answer, attempts, lost, unreported }: Retried<ChatAnswer>,
  facts: ResultFacts,
): Promise<ChatResult> {
  const { text, reasoning, logprobs, finish, firstTokenMs } = answer;
  const { hash, latencyMs, model, prices } = facts;
  const usage = answer.usage ?? (await estimatedUsage(request, answer));
  const servedModel = answer.servedModel ?? model;
  const result: ChatResult = {
    text,
    reasoning,
    logprobs,
    finish,
    usage,
    attempts,
    latencyMs,
    firstTokenMs,
    costUsd: prices?.costUsd(model, usage) ?? null,
    isCached: false,
    requestHash: hash,
    servedModel,
    warnings: [...facts.served(servedModel), ...warningsOf(request, answer, facts.adaptations)],
  };
  if (lost === undefined && unreported === undefined) return result;
  return { ...result, lost, unreported };
}

async function estimatedUsage(
  { messages }: ChatRequest,
  { reasoning, text }: ChatAnswer,
): Promise<TokenUsage> {
  const completion = await countTokens(`${reasoning ?? ''}${text}`);
  return estimateOf(await countMessages(messages), completion);
}

function warningsOf(
  request: ChatRequest,
  answer: ChatAnswer,
  adaptations: readonly string[],
): string[] {
  const warnings: string[] = [];
  if (answer.usage === null) warnings.push('usage: the server gave none, tokens are estimated');
  if (request.topLogprobs !== undefined && answer.logprobs === null) {
    warnings.push('logprobs: the server gave none');
  }
  if (answer.finish === 'length' && answer.text === '') {
    warnings.push('length: no token was left for an answer');
  }
  for (const change of adaptations) warnings.push(`parameter: ${change} was not taken`);
  return warnings;
}

/**
 * Makes sure that the server read the whole prompt.
 *
 * @throws {LlmFailure} of kind `truncated` where it did not.
 */
export async function assertWholePrompt(
  check: PromptCheck,
  { messages }: ChatRequest,
  { usage, attempts, costUsd, lost, unreported }: ChatResult,
): Promise<void> {
  if (usage.isEstimated) return;
  const isCut = check.isCut(messages, usage.prompt);
  if (isCut === false || !(await isCut)) return;
  const read = `read ${usage.prompt.toLocaleString('en-US')} tokens only`;
  throw new LlmFailure(`llm/client: the server cut the prompt without saying so: it ${read}.`, {
    ...{ kind: 'truncated', isRetryable: false, attempts, unreported },
    paid: lost === undefined ? { usage, costUsd } : sumOfPaid({ usage, costUsd }, lost),
    help: 'raise the context length of the server (Ollama: OLLAMA_CONTEXT_LENGTH).',
  });
}
