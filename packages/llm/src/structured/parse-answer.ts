import type { z } from 'zod';
import type { FinishReason, JsonOrigin } from '../chat.js';
import { type FoundJson, findJson, outermostJson, withoutReasoning } from './find-json.js';
import { fitSchema } from './fit-schema.js';
import type { Allowances } from './scan-json.js';

/** What an answer says in JSON, or why it says nothing that fits. */
export type ParsedAnswer<T> =
  | {
      readonly fits: true;
      readonly json: T;
      readonly origin: Exclude<JsonOrigin, 'repaired-by-call'>;
      /** Whether the value was cut, and its brackets closed here. */
      readonly isCut: boolean;
    }
  | { readonly fits: false; readonly problems: readonly string[] };

/** A repair of JSON, and what it mends: without that it changes nothing. */
interface Repair {
  readonly allows: Allowances;
  readonly mends: RegExp;
}

const repairs: readonly Repair[] = [
  { allows: { trailingCommas: true }, mends: /,\s*[\]}]/ },
  { allows: { singleQuotes: true }, mends: /'|True|False|None/ },
  { allows: { controlCharacters: true }, mends: /[\u0000-\u001f]/ },
];

/** What is forgiven, step by step: each repair with all before it. */
function stepsFor(answer: string, finish: FinishReason): Allowances[] {
  const steps: Allowances[] = [{}];
  let allowed: Allowances = {};
  for (const { allows, mends } of repairs) {
    if (!mends.test(answer)) continue;
    allowed = { ...allowed, ...allows };
    steps.push(allowed);
  }
  if (finish === 'length') steps.push({ ...allowed, unclosed: true });
  return steps;
}

/**
 * The last value of an answer that fits a schema: as it stands, else with corrected values, else
 * with repaired JSON (commas before a bracket, single quotes, bare control characters and, of
 * answers that were cut, open brackets), in this order. What stands inside a broken value is no
 * value by itself, nor is a draft before one that was cut. Time is linear in the length.
 *
 * @param text - the answer; prose, fences and reasoning around the JSON do no harm.
 * @param finish - `length` allows open brackets at the end.
 */
export async function parseAnswer<T>(
  text: string,
  schema: z.ZodType<T>,
  finish: FinishReason = 'stop',
): Promise<ParsedAnswer<T>> {
  const answer = withoutReasoning(text);
  const steps = stepsFor(answer, finish);
  const outer = outermostJson(answer, steps.at(-1));
  let problems: readonly string[] | undefined;
  const tried = new Set<string>();
  for (const [step, allowances] of steps.entries()) {
    const values = findJson(answer, allowances).filter((found) => isOutermost(found, outer));
    let corrected: ParsedAnswer<T> | undefined;
    for (const { json, isCut } of values) {
      if (tried.has(json)) continue;
      tried.add(json);
      const fit = await fitSchema(schema, JSON.parse(json));
      if (!fit.fits) {
        problems ??= fit.problems;
        continue;
      }
      const origin = step === 0 && !fit.isChanged ? 'direct' : 'repaired';
      const parsed = { fits: true, json: fit.value, origin, isCut } as const;
      // A value that fits as it stands goes before one that is corrected.
      if (!fit.isChanged) return parsed;
      corrected ??= parsed;
    }
    if (corrected) return corrected;
  }
  return { fits: false, problems: problems ?? ['The answer holds no JSON object or array.'] };
}

/**
 * Whether a value is not a part of one that needs repair, and not before an object that was cut.
 *
 * @param outer - all values, with all repairs.
 */
function isOutermost({ start, end }: FoundJson, outer: readonly FoundJson[]): boolean {
  const [last] = outer;
  if (last?.isCut === true && last.json.startsWith('{') && end <= last.start) return false;
  return !outer.some((other) => other.start < start && end <= other.end);
}
