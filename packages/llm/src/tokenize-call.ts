/**
 * A request that lets the server count tokens.
 */
import type { ChatMessage } from './chat.js';
import { keptBody, type Redactor } from './redact.js';
import type { Call, Reading } from './servers.js';
import type { TransportAnswer } from './transport.js';

/** How servers want to be asked; llama.cpp counts texts, without the chat format. */
export type TokenizeForm = 'llama-cpp' | 'vllm';

/** What is counted, for whom. */
export interface TokenizeSetting {
  readonly form: TokenizeForm;
  readonly model: string;
  readonly redact: Redactor;
}

/** The call that counts the tokens of a conversation. */
export function createTokenizeCall(messages: readonly ChatMessage[], setting: TokenizeSetting) {
  const { form, model, redact } = setting;
  const content = messages.map((message) => message.content).join('\n');
  const plain = messages.map((message) => ({ role: message.role, content: message.content }));
  const body = JSON.stringify(form === 'vllm' ? { model, messages: plain } : { content });
  const call: Call = {
    ...{ path: '/tokenize', isAtRoot: true, body: () => body, tokens: 0, tag: '', messages: null },
    failed: new Set(),
  };
  const read = (answer: TransportAnswer): Reading<number> => {
    const count = readCount(answer.body);
    if (count !== null) return { outcome: { value: count }, tokens: 0 };
    const problem = {
      ...({ class: 'empty', kind: 'server', status: 200, retryAfterMs: null } as const),
      message: 'the server answered 200 without a count of tokens',
      body: keptBody(answer.body, redact),
    };
    return { outcome: { problem }, tokens: 0 };
  };
  return { call, read };
}

function readCount(body: string): number | null {
  try {
    const { count, tokens } = (JSON.parse(body) ?? {}) as Record<string, unknown>;
    if (typeof count === 'number') return count;
    return Array.isArray(tokens) ? tokens.length : null;
  } catch {
    return null; // no JSON is no count
  }
}
