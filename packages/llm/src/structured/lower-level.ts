import { LlmFailure } from '../llm-failure.js';
import type { StructuredLevel } from './with-schema.js';

const weaker: { readonly [level in StructuredLevel]: StructuredLevel | null } = {
  'json-schema': 'json-object',
  'server-field': 'json-object',
  'json-object': 'prompt',
  prompt: null,
};

/**
 * How to ask for JSON after a server has refused a form of asking; null where the failure is about
 * something else, or there is no weaker form.
 */
export function levelBelow(level: StructuredLevel, error: unknown): StructuredLevel | null {
  return refusesForm(error, level) ? weaker[level] : null;
}

function refusesForm(error: unknown, level: StructuredLevel): boolean {
  if (!(error instanceof LlmFailure) || error.kind !== 'bad-request') return false;
  const about = `${error.message} ${error.body ?? ''}`;
  return level === 'server-field' || /response_?format|json|schema|grammar|guided/i.test(about);
}
