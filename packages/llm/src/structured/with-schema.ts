import type { z } from 'zod';
import type { ChatMessage, ChatRequest, StructuredLevel } from '../chat.js';
import { strictJsonSchema } from './strict-schema.js';

/**
 * The request with the form of its answer, as the level has it.
 *
 * @throws {ConfigError} where the schema has no form in JSON.
 */
export function withSchema(
  request: ChatRequest,
  schema: z.ZodType,
  level: StructuredLevel,
): ChatRequest {
  const form = strictJsonSchema(schema);
  switch (level) {
    case 'json-schema':
      return { ...request, responseFormat: { type: 'json_schema', name: 'answer', schema: form } };
    case 'server-field':
      return {
        ...request,
        extra: { structured_outputs: { json: form }, json_schema: form, ...request.extra },
      };
    case 'json-object':
      return {
        ...request,
        messages: describe(request.messages, form),
        responseFormat: { type: 'json_object' },
      };
    default:
      return { ...request, messages: describe(request.messages, form) };
  }
}

/** The schema goes behind the last message: the instruction that stands last is kept best. */
function describe(messages: readonly ChatMessage[], form: object): readonly ChatMessage[] {
  const note =
    'Give your answer as one JSON value and nothing around it. ' +
    `It has to fit this JSON Schema:\n${JSON.stringify(form)}`;
  const last = messages.at(-1);
  if (last?.role !== 'user') return [...messages, { role: 'user', content: note }];
  return [...messages.slice(0, -1), { role: 'user', content: `${last.content}\n\n${note}` }];
}
