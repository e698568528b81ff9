/**
 * What is to be known where compared numbers were not measured alike.
 */
import type { AlignmentConfig } from './config-fields.js';

/** What decides how a number came about, beside model and data. */
export type Measure = Pick<AlignmentConfig['evaluation'], 'candidates' | 'scores'>;

/** What follows where it is not the same. */
const consequences = {
  candidates: 'ranks and hits among different candidates are not comparable',
  scores: 'a part of a difference is how pairs are scored, not how the model was trained',
} as const;

/**
 * A sentence where what is compared was measured with different values of a setting.
 *
 * @param values - the value of everything that is compared, by its name on the page.
 */
export function measuredApart(
  setting: keyof Measure,
  values: ReadonlyMap<string, string>,
): string[] {
  if (new Set(values.values()).size < 2) return [];
  const named = [...values].map(([name, value]) => `${name}: ${value}`);
  return [`evaluation.${setting} is not the same (${named.join('; ')}): ${consequences[setting]}.`];
}
