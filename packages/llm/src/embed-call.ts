/**
 * A request to the embeddings endpoint and the reading of its answer.
 */
import { type EmbeddingRows, readEmbeddings } from './embeddings.js';
import type { Redactor } from './redact.js';
import { keptBody } from './redact.js';
import type { Call, Reading } from './servers.js';
import type { TransportAnswer } from './transport.js';

/** What a batch is sent with. */
export interface EmbedSetting {
  readonly model: string;
  readonly redact: Redactor;
  readonly signal: AbortSignal | undefined;
}

/** The call of one batch of texts. */
export function createEmbedCall(texts: readonly string[], setting: EmbedSetting) {
  const { model, redact, signal } = setting;
  const body = JSON.stringify({ model, input: texts, encoding_format: 'float' });
  const tokens = Math.ceil(body.length / 3);
  const call: Call = {
    ...{ path: '/embeddings', body: () => body, tokens, tag: '', messages: null, signal },
    failed: new Set(),
  };
  const read = (answer: TransportAnswer): Reading<EmbeddingRows> => {
    const rows = readEmbeddings(answer.body, texts.length);
    if (typeof rows !== 'string') return { outcome: { value: rows }, tokens: rows.promptTokens };
    const problem = {
      ...({ class: 'empty', kind: 'server', status: 200, retryAfterMs: null } as const),
      uncountedText: null,
      message: `the server answered 200 with ${rows}`,
      body: keptBody(answer.body, redact),
    };
    return { outcome: { problem }, tokens: null };
  };
  return { call, read };
}
