import type { z } from 'zod';
import type { ChatRequest, ChatResult, JsonResult, StructuredLevel } from '../chat.js';
import { LlmFailure } from '../llm-failure.js';
import { askForJson } from './ask-for-json.js';

const weaker: { readonly [level in StructuredLevel]: StructuredLevel | null } = {
  'json-schema': 'json-object',
  'server-field': 'json-object',
  'json-object': 'prompt',
  prompt: null,
};

/** Asks one model for JSON; after a refused form of asking all its calls take a weaker one. */
export class JsonAsker {
  #level: StructuredLevel;
  readonly #onLowered: (from: StructuredLevel, to: StructuredLevel) => void;

  constructor(
    level: StructuredLevel,
    onLowered: (from: StructuredLevel, to: StructuredLevel) => void = () => undefined,
  ) {
    this.#level = level;
    this.#onLowered = onLowered;
  }

  /** How it asks now. */
  get level(): StructuredLevel {
    return this.#level;
  }

  /** As {@link askForJson}, once more for each form that is refused. */
  async ask<T>(
    ask: (request: ChatRequest) => Promise<ChatResult>,
    request: ChatRequest,
    schema: z.ZodType<T>,
  ): Promise<JsonResult<T>> {
    for (;;) {
      const level = this.#level;
      try {
        return await askForJson(ask, request, schema, { level });
      } catch (error) {
        const next = levelBelow(level, error);
        if (next === null) throw error;
        // Another call may have been refused meanwhile.
        if (this.#level !== level) continue;
        this.#level = next;
        this.#onLowered(level, next);
      }
    }
  }
}

/**
 * How to ask for JSON after a server has refused a form of asking; null where the failure is about
 * something else, or there is no weaker form.
 */
function levelBelow(level: StructuredLevel, error: unknown): StructuredLevel | null {
  return refusesForm(error, level) ? weaker[level] : null;
}

function refusesForm(error: unknown, level: StructuredLevel): boolean {
  if (!(error instanceof LlmFailure) || error.kind !== 'bad-request') return false;
  const about = `${error.message} ${error.body ?? ''}`;
  return level === 'server-field' || /response_?format|json|schema|grammar|guided/i.test(about);
}
