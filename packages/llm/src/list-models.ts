/**
 * A request for the models of a server and the reading of its answer.
 */
import type { Call, Reading } from './servers.js';
import type { TransportAnswer } from './transport.js';

/** A model that a server lists. */
export interface ListedModel {
  readonly id: string;
  /** Null where the server does not state it. */
  readonly contextTokens: number | null;
}

/** Where servers state the window of a model: vLLM, SGLang; LiteLLM; llama.cpp. */
const windowFields = ['max_model_len', 'context_length', 'max_input_tokens', 'n_ctx'];

/** The call that lists models. */
export function listModels(signal: AbortSignal | undefined) {
  const call: Call = {
    ...{ path: '/models', body: () => null, tokens: 0, tag: '', messages: null, signal },
    failed: new Set(),
  };
  const read = (answer: TransportAnswer): Reading<readonly ListedModel[]> => {
    const models = readModels(answer.body);
    if (models !== null) return { outcome: { value: models }, tokens: 0 };
    const problem = {
      ...({ class: 'empty', kind: 'server', status: 200, retryAfterMs: null } as const),
      message: 'the server answered 200 without a list of models',
    };
    return { outcome: { problem }, tokens: 0 };
  };
  return { call, read };
}

function readModels(body: string): ListedModel[] | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return null; // no JSON is no list
  }
  const { data } = (parsed ?? {}) as Record<string, unknown>;
  if (!Array.isArray(data)) return null;
  return (data as unknown[]).flatMap((item) => {
    const fields = (item ?? {}) as Record<string, unknown>;
    const { id, meta } = fields;
    if (typeof id !== 'string') return [];
    const all = { ...(meta as object | undefined), ...fields } as Record<string, unknown>;
    const window = windowFields.map((name) => all[name]).find((value) => typeof value === 'number');
    return [{ id, contextTokens: typeof window === 'number' ? window : null }];
  });
}
