/**
 * Finds what no server could answer before it is sent.
 */
import { ConfigError } from '@lab/core';
import type { ChatRequest } from './chat.js';

const wholeNumbers = ['maxTokens', 'sample', 'seed', 'topLogprobs'] as const;

/**
 * Looks at the numbers of a request.
 *
 * @throws {ConfigError} for an empty conversation and for numbers that make no sense.
 */
export function checkRequest(request: ChatRequest): void {
  if (request.messages.length === 0) {
    throw new ConfigError('llm/client: the request has no messages.');
  }
  for (const name of wholeNumbers) {
    const value = request[name];
    if (value === undefined || Number.isSafeInteger(value)) continue;
    throw new ConfigError(`llm/client: ${name} ${value} is no whole number.`);
  }
  const { maxTokens = 1, temperature = 0, topP = 1, topLogprobs = 0 } = request;
  if (maxTokens < 1) throw new ConfigError(`llm/client: maxTokens ${maxTokens} is below 1.`);
  if (!(temperature >= 0 && temperature < Number.POSITIVE_INFINITY)) {
    throw new ConfigError(`llm/client: temperature ${temperature} is not at least 0.`);
  }
  if (!(topP > 0 && topP <= 1)) throw new ConfigError(`llm/client: topP ${topP} is not in (0, 1].`);
  if (topLogprobs < 0) throw new ConfigError(`llm/client: topLogprobs ${topLogprobs} is below 0.`);
}
