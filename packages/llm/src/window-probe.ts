/**
 * Whether a server reads a long prompt from its very beginning.
 */
import type { ChatRequest } from './chat.js';
import type { LlmClient } from './llm-client.js';

/**
 * What came of it: the beginning was repeated, or it was not although the server says that it read
 * all, or it was not and the server says nothing.
 */
export type WindowReading = 'not-repeated' | 'read' | 'unknown';

const marker = 'zebra-4711';
const answerTokens = 64;

/**
 * Puts a word at the beginning of a prompt and asks for it at the end.
 *
 * @param tokens - of the prompt, about.
 * @throws {LlmFailure} of kind `truncated` where the server's own count says that it cut it,
 *   and of kind `context-length` where it refuses it.
 */
export async function probeWindow(
  client: Pick<LlmClient, 'chat'>,
  tokens: number,
  signal?: AbortSignal,
): Promise<WindowReading> {
  const messages = [{ role: 'user', content: longPrompt(tokens) }] as const;
  const request: ChatRequest = { messages, maxTokens: answerTokens, signal };
  const { text, usage } = await client.chat(request);
  if (text.includes(marker)) return 'read';
  return usage.isEstimated ? 'unknown' : 'not-repeated';
}

/** A prompt of about so many tokens: each line has nine in most vocabularies. */
function longPrompt(tokens: number): string {
  const lines = Array.from(
    { length: Math.max(1, Math.floor((tokens - 60) / 9)) },
    (_, index) => `Line ${index + 1}: nothing to see here.`,
  );
  const question = 'What is the password at the very beginning? Repeat it and nothing else.';
  return `The password is ${marker}.\n${lines.join('\n')}\n${question}`;
}
