import type { z } from 'zod';
import { allowedText, unknownName } from './config-problem.js';
import { fieldsOf } from './config-schema.js';
import { showValue } from './config-values.js';
import { ConfigError } from './errors.js';

/**
 * Checks the options of a library call before its work begins. They stay as they are: nothing is
 * copied, and no default is set.
 *
 * @param call - what was called, e.g. `ibmea/train`.
 * @param options - what it was given.
 * @param schema - a `z.strictObject` with a field for every option.
 * @throws {ConfigError} for an unknown option (with the nearest name), and for values that the
 *   schema refuses (option, value, what is allowed).
 */
export function checkOptions(call: string, options: unknown, schema: z.ZodType): void {
  const result = schema.safeParse(options);
  if (result.success) return;
  const { issues } = result.error;
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const candidates = optionNames(schema, issue.path);
    const where = [call, ...issue.path.map(String)].join(', ');
    throw unknownName('option', issue.keys[0] ?? '', { candidates, where });
  }
  const problems = issues.map((issue) => problemText(options, issue));
  throw new ConfigError(`${call}: ${problems.join('; ')}.`, {
    help: 'correct it, or leave it out where it has a default.',
    details: { problems },
  });
}

/** Names of the options at a place of the schema. */
function optionNames(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let fields = fieldsOf(schema);
  for (const key of path) {
    const inner = fields?.[String(key)];
    fields = inner === undefined ? undefined : fieldsOf(inner);
  }
  return Object.keys(fields ?? {});
}

function problemText(options: unknown, issue: z.core.$ZodIssue): string {
  if (issue.path.length === 0) return `the options are ${shown(options)} and ${allowedText(issue)}`;
  const path = issue.path.map(String).join('.');
  let value = options;
  for (const key of issue.path) value = (value as Record<PropertyKey, unknown> | undefined)?.[key];
  const is = value === undefined ? 'is missing' : `is ${shown(value)}`;
  return `${path} ${is} and ${allowedText(issue)}`;
}

/** A value in a message: what is large or has no text of its own by its kind. */
function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) {
    const name: unknown = value.constructor?.name;
    return typeof name === 'string' && name !== 'Object' ? `of type ${name}` : 'an object';
  }
  return typeof value === 'string' ? showValue(value) : String(value);
}
